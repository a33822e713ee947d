//! Dropping a future cancels the request.

use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use testkit::samples::usage;
use testkit::scripted::{Connection, PATIENCE, ScriptedServer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::client;
use crate::event::Event;

/// A server that reports when a request has arrived and when the client has closed.
fn server(answer: &'static str) -> (ScriptedServer, Event, Event) {
    let (arrived, arrive) = Event::new();
    let (closed, close) = Event::new();
    let server = ScriptedServer::run(move |mut connection: Connection| {
        connection.request();
        connection.send(answer);
        arrive();
        let mut rest = Vec::new();
        let _ = connection.stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "the request came again");
        close();
    });
    (server, arrived, closed)
}

#[tokio::test]
async fn a_dropped_future_closes_the_connection() {
    // Before the head, in the head, in the body.
    for answer in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"] {
        let (server, mut arrived, mut closed) = server(answer);
        let client = client(&server.url());
        let save = tokio::spawn(client.save(&usage()));
        arrived.happens().await;
        save.abort();
        closed.happens().await;
        assert!(save.await.unwrap_err().is_cancelled());
        assert_eq!(server.connections(), 1);
        // The client itself is as good as before.
        assert!(timeout(Duration::ZERO, client.save(&usage())).await.is_err());
    }
}

#[tokio::test]
async fn nothing_is_sent_by_a_future_that_is_never_polled() {
    let server = ScriptedServer::run(drop);
    let client = client(&server.url());
    drop(client.save(&usage()));
    yield_now().await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_future_that_is_dropped_before_it_has_sent_anything_leaves_no_connection() {
    // Takes connections, but the system does, before anybody asks it to.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    let mut save = Box::pin(client.save(&usage()));
    let mut accepted = loop {
        // No further than to the next pause.
        assert!(poll_once(&mut save).await.is_pending());
        if let Poll::Ready(accepted) = poll_once(&mut Box::pin(listener.accept())).await {
            break accepted.unwrap().0;
        }
    };
    drop(save);
    let mut rest = Vec::new();
    timeout(PATIENCE, accepted.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    yield_now().await;
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}
