//! W42: one pool, in every runtime.

use std::sync::{Arc, Condvar, Mutex};

use testkit::outcome::saved;
use testkit::samples::{CREATED, usage};
use testkit::scripted::{PATIENCE, ScriptedServer};
use tokio::task::JoinSet;
use usage_reqwest::Client;

use crate::{client, save};

#[test]
fn a_client_can_be_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Client>();
}

async fn fifty_saves_one_after_the_other() {
    let server = ScriptedServer::answering(CREATED);
    let client = client(&server.url());
    for _ in 0..50 {
        assert_eq!(save(&client).await, saved(201, "{}"));
    }
    assert_eq!(server.received().len(), 50);
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w42_saves_one_after_the_other_use_one_connection_in_a_runtime_of_threads() {
    fifty_saves_one_after_the_other().await;
    tokio::spawn(fifty_saves_one_after_the_other()).await.unwrap();
}

#[tokio::test]
async fn w42_calls_beyond_the_bound_wait_for_a_connection() {
    // Nobody is answered before 64 have asked.
    let asked = Arc::new((Mutex::new(0), Condvar::new()));
    let server = ScriptedServer::run(move |mut connection| {
        while connection.request().is_some() {
            let mut count = asked.0.lock().unwrap();
            *count += 1;
            asked.1.notify_all();
            let waited = asked.1.wait_timeout_while(count, PATIENCE, |count| *count < 64);
            drop(waited.unwrap());
            connection.send(CREATED);
        }
    });
    let client = client(&server.url());
    let saves: JoinSet<_> = (0..200).map(|_| client.save(&usage())).collect();
    for saved in saves.join_all().await {
        saved.unwrap();
    }
    assert_eq!(server.received().len(), 200);
    assert_eq!(server.connections(), 64);
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
