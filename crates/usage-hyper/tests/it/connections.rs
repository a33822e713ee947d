//! W42: one pool, in every runtime.

use std::cell::Cell;
use std::time::Instant;

use testkit::outcome::saved;
use testkit::samples::{CREATED, SHORT, usage};
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use tokio::runtime::Handle;
use tokio::task::yield_now;
use usage_hyper::Client;
use usage_proto::Saveable;

use crate::{client, save};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w42_an_answer_in_pieces_keeps_the_connection() {
    // With pauses in which the client reads what there is.
    let pause = SHORT / 100;
    let head = &CREATED[..CREATED.len() - 2];
    let script = Script::answer(head).pause(pause).send("{").pause(pause).send("}").repeat();
    let server = ScriptedServer::start([script]);
    let client = client(&server.url());
    for _ in 0..50 {
        assert_eq!(save(&client).await, saved(201, "{}"));
    }
    // One may not be back when the next call looks for it.
    assert!(server.connections() <= 2, "{}", server.connections());
}

/// Waits until the tasks that the pool has spawned on this test's runtime have ended.
pub(crate) async fn no_task_is_left() {
    let deadline = Instant::now() + PATIENCE;
    while Handle::current().metrics().num_alive_tasks() > 0 {
        assert!(Instant::now() < deadline, "a task is still there");
        yield_now().await;
    }
}

#[test]
fn a_client_outlives_the_runtime_that_it_was_first_used_in() {
    let server = ScriptedServer::answering(CREATED);
    let client = client(&server.url());
    for connections in 1..=3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..3 {
            runtime.block_on(client.save(&usage())).unwrap();
        }
        assert_eq!(server.connections(), connections);
    }
}
