//! W41: futures can go anywhere, and dropping one cancels the request.

use std::cell::Cell;
use std::time::Duration;

use serde::Serialize;
use testkit::samples::{CREATED, usage};
use testkit::scripted::{PATIENCE, ScriptedServer};
use tokio::sync::mpsc;
use tokio::time::timeout;
use usage_proto::Saveable;

use crate::client;

/// A payload that no two threads may look at.
#[derive(Serialize)]
struct Unshared {
    count: Cell<u32>,
}

impl Saveable for Unshared {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        ["unshared"]
    }
}

#[tokio::test]
async fn a_future_is_send_and_does_not_borrow_the_payload() {
    fn send<T: Future + Send + Unpin + 'static>(future: T) -> T {
        future
    }
    let server = ScriptedServer::answering(CREATED);
    let client = client(&server.url());
    let save = send(client.save(&Unshared { count: Cell::new(7) }));
    tokio::spawn(save).await.unwrap().unwrap();
    send(client.execute(client.api().build_request(&usage()).unwrap())).await.unwrap();
    assert_eq!(server.received()[0].body, b"{\"count\":7}");
}

#[tokio::test]
async fn w41_dropping_a_future_closes_its_connection() {
    // Before the head, and in the body.
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"] {
        let (events, mut event) = mpsc::unbounded_channel();
        let server = ScriptedServer::run(move |mut connection| {
            connection.request();
            connection.send(answer);
            events.send("asked").unwrap();
            connection.hang();
            events.send("closed").unwrap();
        });
        let client = client(&server.url());
        {
            let usage = usage();
            let save = client.save(&usage);
            tokio::pin!(save);
            tokio::select! {
                result = &mut save => panic!("{result:?}"),
                asked = event.recv() => assert_eq!(asked, Some("asked")),
            }
            // The answer's head may still be on its way.
            let _ = timeout(Duration::from_millis(50), &mut save).await;
        }
        let closed = timeout(PATIENCE / 2, event.recv()).await;
        assert_eq!(closed, Ok(Some("closed")), "{answer}");
    }
}
