//! W42: connections are reused, and nothing is left behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;

use usage_ureq::Client;

use crate::server::Server;
use crate::{client, unanswered, usage};

const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

#[test]
fn a_client_can_be_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Client>();
}

#[test]
fn w42_saves_one_after_the_other_use_one_connection() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let refusal = "HTTP/1.1 401 X\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}";
    let redirect = "HTTP/1.1 302 X\r\nLocation: /x\r\nContent-Length: 2\r\n\r\n{}";
    for answer in [CREATED, chunked, refusal, redirect] {
        let server = Server::answering(answer);
        let client = client(&server.url());
        for _ in 0..50 {
            let _ = client.clone().save(&usage());
        }
        assert_eq!(server.requests().len(), 50);
        assert_eq!(server.connections(), 1, "{answer}");
    }
}

#[test]
fn w42_saves_at_once_keep_a_connection_each() {
    // No answer before all have asked, so that each needs a connection of its own.
    const AT_ONCE: usize = 16;
    let all_here = Arc::new(Barrier::new(AT_ONCE));
    let server = Server::start(move |mut connection| {
        while connection.request().is_some() {
            all_here.wait();
            connection.send(CREATED);
        }
    });
    let client = client(&server.url());
    for _ in 0..5 {
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| client.save(&usage()).unwrap());
            }
        });
    }
    assert_eq!(server.requests().len(), 5 * AT_ONCE);
    assert_eq!(server.connections(), AT_ONCE);
}

#[test]
fn a_connection_that_the_server_closed_while_idle_loses_no_report() {
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
        client.save(&usage()).unwrap();
        let count = closed.0.lock().unwrap();
        drop(closed.1.wait_while(count, |count| *count < round).unwrap());
    }
    // Each report came once.
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.connections(), 3);
}

#[test]
fn a_connection_that_closes_instead_of_an_answer_is_not_tried_again() {
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
    client.save(&usage()).unwrap();
    assert!(unanswered(client.save(&usage())).may_have_been_sent());
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    client.save(&usage()).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn no_thread_is_left_behind_once_look_ups_have_ended() {
    fn lookups() -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim_end() == "usage-ureq-dns").count()
    }
    let server = Server::answering(CREATED);
    let client = client(&format!("http://localhost:{}", server.port()));
    for _ in 0..5 {
        client.save(&usage()).unwrap();
    }
    // The other tests look names up too, but each look-up ends.
    let deadline = std::time::Instant::now() + crate::PATIENCE;
    while lookups() > 0 {
        assert!(std::time::Instant::now() < deadline, "a look-up thread is still there");
        thread::yield_now();
    }
}
