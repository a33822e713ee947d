//! What a runtime may lack, and what comes of several.

use std::sync::mpsc::channel;
use std::thread;

use testkit::outcome::{Outcome, in_vain, saved};
use testkit::samples::{CREATED, api, usage};
use testkit::scripted::{PATIENCE, ScriptedServer};
use tokio::runtime::{Builder, Runtime};
use usage_hyper::{Client, Config};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::Other;

use crate::client;

fn outcome(runtime: &Runtime, client: &Client) -> Outcome {
    Outcome::of(&runtime.block_on(client.save(&usage())))
}

#[test]
fn a_runtime_without_its_drivers_is_an_error_and_no_panic() {
    let server = ScriptedServer::answering(CREATED);
    let client = client(&server.url());
    for builder in [Builder::new_current_thread, || Builder::new_multi_thread()] {
        for runtime in [
            builder().build().unwrap(),
            builder().enable_time().build().unwrap(),
            builder().enable_io().build().unwrap(),
        ] {
            assert_eq!(outcome(&runtime, &client), in_vain(Other));
        }
    }
    // The client is as good as before.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(outcome(&runtime, &client), saved(201, "{}"));
    assert_eq!(server.received().len(), 1);
}

#[test]
fn one_client_serves_two_runtimes_at_once() {
    let server = ScriptedServer::answering(CREATED);
    let client = client(&server.url());
    let runtimes = [(); 2].map(|()| Builder::new_current_thread().enable_all().build().unwrap());
    for _ in 0..10 {
        for runtime in &runtimes {
            assert_eq!(outcome(runtime, &client), saved(201, "{}"));
        }
    }
    // A connection each, since one that is not driven brings no answer.
    assert_eq!((server.connections(), server.received().len()), (2, 20));
}

/// A connection of a runtime that nobody runs is closed to make room for one elsewhere.
#[test]
fn a_runtime_that_rests_does_not_keep_another_from_connecting() {
    let server = ScriptedServer::answering(CREATED);
    let config = Config::new().max_connections(1);
    let deadlines = Deadlines::new().total(PATIENCE);
    let client = Client::configured(api(&server.url()), deadlines, config).unwrap();
    let runtimes = [(); 2].map(|()| Builder::new_current_thread().enable_all().build().unwrap());
    for connections in 1..=6 {
        assert_eq!(outcome(&runtimes[connections % 2], &client), saved(201, "{}"));
        assert_eq!(server.connections(), connections);
    }
}

/// A look-up that waits for a name server is not on the pool that a runtime waits for at its end.
#[test]
fn a_name_is_looked_up_without_the_runtimes_pool() {
    let server = ScriptedServer::answering(CREATED);
    let runtime =
        Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    let (free, taken) = channel::<()>();
    let blocked = runtime.spawn_blocking(move || taken.recv_timeout(PATIENCE));
    let client = client(&format!("http://localhost:{}", server.port()));
    assert_eq!(outcome(&runtime, &client), saved(201, "{}"));
    free.send(()).unwrap();
    runtime.block_on(blocked).unwrap().unwrap();
}

/// The system knows of what came, and the runtime does not: nobody runs it in between.
#[test]
fn what_comes_between_two_calls_is_no_answer() {
    let (sent, stray) = channel();
    let server = ScriptedServer::run(move |mut connection| {
        while connection.request().is_some() {
            connection.send(CREATED);
            // To nobody's question.
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray");
            sent.send(()).unwrap();
        }
    });
    let client = client(&server.url());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for connections in 1..=5 {
        assert_eq!(outcome(&runtime, &client), saved(201, "{}"));
        stray.recv_timeout(PATIENCE).unwrap();
        // What the server has sent is with the system by now.
        thread::yield_now();
        assert_eq!(server.connections(), connections);
    }
}
