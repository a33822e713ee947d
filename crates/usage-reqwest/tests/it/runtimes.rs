//! Where a future is awaited: a runtime with its drivers, or an error.

use std::task::{Context, Poll, Waker};

use testkit::outcome::{Outcome, in_vain, saved};
use testkit::samples::{CREATED, usage};
use testkit::scripted::ScriptedServer;
use tokio::runtime::Builder;
use usage_proto::TransportErrorKind::Other;

use crate::{client, save, unanswered};

#[test]
fn a_future_outside_of_a_runtime_is_an_error() {
    let client = client("http://127.0.0.1:1");
    let mut save = std::pin::pin!(client.save(&usage()));
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(result) = save.as_mut().poll(&mut context) else { panic!("it waits") };
    assert_eq!(Outcome::of(&result), in_vain(Other));
}

#[test]
fn a_runtime_without_a_driver_is_an_error() {
    let server = ScriptedServer::answering(CREATED);
    for builder in [
        Builder::new_current_thread().enable_io(),
        Builder::new_current_thread().enable_time(),
        Builder::new_multi_thread().worker_threads(1).enable_time(),
        &mut Builder::new_current_thread(),
    ] {
        let runtime = builder.build().unwrap();
        let client = client(&server.url());
        let error = unanswered(runtime.block_on(client.save(&usage())));
        assert_eq!(error.kind(), Other);
        assert!(!error.is_retryable());
        assert!(format!("{error:#}").contains("drivers"), "{error:#}");
    }
    assert_eq!(server.received().len(), 0);
}

#[test]
fn names_are_not_looked_up_in_the_pool_of_the_runtime() {
    let server = ScriptedServer::answering(CREATED);
    let client = client(&format!("http://localhost:{}", server.port()));
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    let runtime = runtime.unwrap();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    // There is no place left in it.
    let busy = runtime.spawn_blocking(move || ended.recv());
    assert_eq!(runtime.block_on(save(&client)), saved(201, "{}"));
    drop(end);
    runtime.block_on(busy).unwrap().unwrap_err();
}

/// Both run on, whoever asks: in one that rests a connection would bring no answer.
#[test]
fn one_client_serves_two_runtimes_at_once() {
    let server = ScriptedServer::answering(CREATED);
    let client = client(&server.url());
    let runtime = || Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let runtimes = [(); 2].map(|()| runtime());
    for _ in 0..10 {
        for runtime in &runtimes {
            assert_eq!(runtime.block_on(save(&client)), saved(201, "{}"));
        }
    }
    assert_eq!(server.received().len(), 20);
}

#[test]
fn a_client_outlives_the_runtime_that_it_was_first_used_in() {
    let server = ScriptedServer::answering(CREATED);
    let client = client(&server.url());
    for connections in 1..=3 {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..3 {
            runtime.block_on(client.save(&usage())).unwrap();
        }
        assert_eq!(server.connections(), connections);
    }
}
