//! W42: connections are reused, and nothing is left behind.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};
use usage_hyper::Client;
use usage_proto::{Saveable, Saved, Usage};

use crate::server::{Event, Server};
use crate::{
    CREATED, PATIENCE, SHORT, client, client_within, large_client, large_usage, refused,
    unanswered, usage,
};

/// A payload that cannot be shared.
#[derive(serde::Serialize)]
struct Counter {
    count: Cell<u64>,
}

impl Saveable for Counter {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        ["counters"]
    }
}

#[test]
fn a_client_and_its_futures_can_be_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn send<T: Send + 'static>(future: T) -> T {
        future
    }
    shared::<Client>();
    let client = client("http://127.0.0.1:1");
    drop(send(client.save(&usage())));
    drop(send(client.execute(http::Request::new(bytes::Bytes::new()))));

    drop(send(client.save(&Counter { count: Cell::new(1) })));
}

#[tokio::test]
async fn w42_saves_one_after_the_other_use_one_connection() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let refusal = "HTTP/1.1 401 X\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}";
    let redirect = "HTTP/1.1 302 X\r\nLocation: /x\r\nContent-Length: 2\r\n\r\n{}";
    for answer in [CREATED, chunked, refusal, redirect] {
        let server = Server::answering(answer);
        let client = client(&server.url());
        for _ in 0..50 {
            let _ = client.clone().save(&usage()).await;
        }
        assert_eq!(server.requests().len(), 50);
        assert_eq!(server.connections(), 1, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w42_an_answer_in_pieces_keeps_the_connection_too() {
    let server = Server::start(|mut connection| {
        connection.stream.set_nodelay(true).unwrap();
        while connection.request().is_some() {
            for piece in [&CREATED[..CREATED.len() - 2], "{", "}"] {
                connection.send(piece);
                // Long enough for the client to have read it.
                std::thread::sleep(SHORT / 100);
            }
        }
    });
    let client = client(&server.url());
    for _ in 0..50 {
        client.save(&usage()).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w42_saves_at_once_use_as_many_connections_as_they_are() {
    let server = Server::answering(CREATED);
    let client = client(&server.url());
    let mut saves = JoinSet::new();
    for _ in 0..64 {
        let client = client.clone();
        saves.spawn(async move {
            for _ in 0..10 {
                client.save(&usage()).await.unwrap();
            }
        });
    }
    saves.join_all().await;
    assert_eq!(server.requests().len(), 640);
    assert!(server.connections() <= 64, "{}", server.connections());
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_loses_no_report() {
    // Answers once and closes, without having said that it would.
    let (mut closed, close) = Event::new();
    let server = Server::start(move |mut connection| {
        if connection.request().is_some() {
            connection.send(CREATED);
        }
        drop(connection);
        close();
    });
    let client = client(&server.url());
    for _ in 0..3 {
        client.save(&usage()).await.unwrap();
        closed.happens().await;
    }
    // Each report came once.
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_turns_out_to_be_closed_loses_no_report() {
    let (close, closed) = std::sync::mpsc::channel();
    let server = Server::start(move |mut connection| {
        if connection.request().is_some() {
            connection.send(CREATED);
        }
        drop(connection);
        close.send(()).unwrap();
    });
    let client = client(&server.url());
    for _ in 0..3 {
        client.save(&usage()).await.unwrap();
        // Without letting this test's runtime notice.
        closed.recv_timeout(PATIENCE).unwrap();
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_connection_that_closes_instead_of_an_answer_is_not_tried_again() {
    let requests = Arc::new(AtomicUsize::new(0));
    let server = Server::start({
        let requests = Arc::clone(&requests);
        move |mut connection| {
            // The first is answered, so that the second comes over the pooled connection.
            while connection.request().is_some() {
                if requests.fetch_add(1, Ordering::SeqCst) == 1 {
                    return;
                }
                connection.send(CREATED);
            }
        }
    });
    let client = client(&server.url());
    client.save(&usage()).await.unwrap();
    assert!(unanswered(client.save(&usage()).await).may_have_been_sent());
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    client.save(&usage()).await.unwrap();
}

/// Waits until the tasks that hyper-util has spawned on this test's runtime have ended.
async fn no_task_is_left() {
    let deadline = Instant::now() + PATIENCE;
    while Handle::current().metrics().num_alive_tasks() > 0 {
        assert!(Instant::now() < deadline, "a task is still there");
        yield_now().await;
    }
}

#[tokio::test]
async fn no_task_is_left_behind_once_the_client_is_dropped() {
    let answering = Server::answering(CREATED);
    let hanging = Server::start(|mut connection| {
        connection.request();
        connection.send("HTTP/1.1 200 OK\r\n\r\n{");
        connection.hang();
    });
    let silent = Server::start(crate::server::Connection::hang);
    let localhost = format!("http://localhost:{}", answering.port());
    for url in [answering.url(), localhost, hanging.url(), silent.url()] {
        let client = client_within(&url, SHORT);
        for _ in 0..3 {
            let _: Result<Saved, _> = client.save(&Usage::new("influxdb")).await;
        }
        drop(client);
        no_task_is_left().await;
    }
}

#[tokio::test]
async fn a_server_that_has_answered_and_reads_no_more_holds_nothing() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let server = Server::start(move |mut connection| {
        connection.head();
        connection.send("HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\n{}");
        let _ = held.lock().unwrap().recv();
    });
    let client = large_client(&server.url(), SHORT);
    assert_eq!(refused(client.save(&large_usage()).await).status, 413);
    drop(client);
    no_task_is_left().await;
    drop(release);
}

#[test]
fn a_client_outlives_the_runtime_that_it_was_first_used_in() {
    let server = Server::answering(CREATED);
    let client = client(&server.url());
    for connections in 1..=3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..3 {
            runtime.block_on(client.save(&usage())).unwrap();
        }
        assert_eq!(server.connections(), connections);
    }
}
