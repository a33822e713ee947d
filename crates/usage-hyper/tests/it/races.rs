//! What comes before anyone looks.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{Receiver, channel};
use std::task::Poll;

use testkit::outcome::{Outcome, in_vain, sent};
use testkit::samples::{SHORT, usage};
use testkit::scripted::{PATIENCE, ScriptedServer};
use usage_proto::TransportErrorKind::{Interrupted, Other};

use crate::{client, save};

/// A server that resets, and what tells that it has.
pub(crate) fn resetting() -> (ScriptedServer, Receiver<()>) {
    let (resets, reset) = channel();
    let server = ScriptedServer::run(move |connection| {
        connection.reset();
        resets.send(()).unwrap();
    });
    (server, reset)
}

/// Lets the future connect, and notice what comes of it only after the server has reset.
pub(crate) async fn unnoticed<F: Future>(future: F, reset: &Receiver<()>) -> F::Output {
    let mut future = pin!(future);
    // The first poll goes to the first pause, the second one connects.
    assert!(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_pending());
    tokio::time::sleep(SHORT / 10).await;
    assert!(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_pending());
    reset.recv_timeout(PATIENCE).unwrap();
    future.await
}

#[tokio::test]
async fn a_reset_that_overtakes_the_connect_is_interrupted() {
    let (server, reset) = resetting();
    let client = client(&server.url());
    assert_eq!(unnoticed(save(&client), &reset).await, sent(Interrupted));
}

#[test]
fn outside_of_a_runtime_it_is_an_error_and_no_panic() {
    let save = client("http://127.0.0.1:1").save(&usage());
    let mut save = pin!(save);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(result) = save.as_mut().poll(&mut context) else { panic!("it waits") };
    assert_eq!(Outcome::of(&result), in_vain(Other));
}
