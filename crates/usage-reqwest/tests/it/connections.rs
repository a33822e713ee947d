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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w42_saves_one_after_the_other_use_a_connection_again_in_a_runtime_of_threads() {
    let server = ScriptedServer::answering(CREATED);
    let client = client(&server.url());
    let saves = async move {
        for _ in 0..50 {
            assert_eq!(save(&client).await, saved(201, "{}"));
        }
    };
    tokio::spawn(saves).await.unwrap();
    assert_eq!(server.received().len(), 50);
    // When one of them is used again is for reqwest's pool to say.
    assert!(server.connections() < 10, "{}", server.connections());
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
