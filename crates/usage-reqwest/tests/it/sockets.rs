//! W42: connections are reused, and nothing is left behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};
use usage_reqwest::Client;

use crate::server::Server;
use crate::{CREATED, PATIENCE, client, unanswered, usage};

#[test]
fn a_client_can_be_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Client>();
}

async fn fifty_saves_one_after_the_other() {
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

#[tokio::test]
async fn w42_saves_one_after_the_other_use_one_connection() {
    fifty_saves_one_after_the_other().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w42_saves_one_after_the_other_use_one_connection_in_a_runtime_of_threads() {
    fifty_saves_one_after_the_other().await;
    tokio::spawn(fifty_saves_one_after_the_other()).await.unwrap();
}

async fn many_saves_at_once() {
    let server = Server::answering(CREATED);
    let client = client(&server.url());
    let mut saves = JoinSet::new();
    for _ in 0..64 {
        let client = client.clone();
        saves.spawn(async move {
            for _ in 0..15 {
                client.save(&usage()).await.unwrap();
            }
        });
    }
    saves.join_all().await;
    assert_eq!(server.requests().len(), 960);

    assert!(server.connections() <= 64, "{}", server.connections());
}

#[tokio::test]
async fn w42_saves_at_once_use_no_more_connections_than_the_pool_holds() {
    many_saves_at_once().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w42_saves_at_once_from_threads_use_no_more_connections_than_the_pool_holds() {
    many_saves_at_once().await;
}

#[tokio::test]
async fn w42_calls_beyond_the_bound_wait_for_a_connection() {
    // Nobody is answered before 64 have asked.
    let asked = Arc::new((Mutex::new(0), Condvar::new()));
    let server = Server::start(move |mut connection| {
        while connection.request().is_some() {
            let mut count = asked.0.lock().unwrap();
            *count += 1;
            asked.1.notify_all();
            drop(asked.1.wait_while(count, |count| *count < 64).unwrap());
            connection.send(CREATED);
        }
    });
    let client = client(&server.url());
    let saves: JoinSet<_> = (0..200).map(|_| client.save(&usage())).collect();
    for saved in saves.join_all().await {
        saved.unwrap();
    }
    assert_eq!(server.requests().len(), 200);
    assert_eq!(server.connections(), 64);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_loses_no_report() {
    // Answers once and closes, without having said that it would.
    let closed = Arc::new((Mutex::new(0), Condvar::new()));
    let server = Server::start({
        let closed = Arc::clone(&closed);
        move |mut connection| {
            if connection.request().is_some() {
                connection.send(CREATED);
            }
            drop(connection);
            *closed.0.lock().unwrap() += 1;
            closed.1.notify_all();
        }
    });
    let client = client(&server.url());
    for round in 1..=3 {
        client.save(&usage()).await.unwrap();
        // Blocks the runtime too, which learns of the end no sooner than from the next save.
        let count = closed.0.lock().unwrap();
        drop(closed.1.wait_while(count, |count| *count < round).unwrap());
    }
    // Each report came once.
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.connections(), 3);
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

#[tokio::test]
async fn no_task_and_no_connection_is_left_behind() {
    let server = Server::answering(CREATED);
    let client = client(&format!("http://localhost:{}", server.port()));
    let saves: JoinSet<_> = (0..9).map(|_| client.save(&usage())).collect();
    saves.join_all().await;
    drop(client);
    let deadline = Instant::now() + PATIENCE;
    while Handle::current().metrics().num_alive_tasks() > 0 || server.open() > 0 {
        assert!(Instant::now() < deadline, "something is left");
        yield_now().await;
    }
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
