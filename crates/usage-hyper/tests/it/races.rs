//! What comes before anyone looks.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{Receiver, channel};
use std::task::Poll;
use std::time::Instant;

use testkit::outcome::{Outcome, in_vain, sent};
use testkit::samples::usage;
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

/// Polls the future until the server has reset the connection that it makes.
pub(crate) async fn unnoticed<F: Future>(future: F, reset: &Receiver<()>) -> F::Output {
    let mut future = pin!(future);
    let begun = Instant::now();
    while reset.try_recv().is_err() {
        assert!(begun.elapsed() < PATIENCE, "nobody has connected");
        if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return output;
        }
        tokio::task::yield_now().await;
    }
    future.await
}

#[tokio::test]
async fn a_reset_that_overtakes_the_connect_is_interrupted() {
    let (server, reset) = resetting();
    let client = client(&server.url());
    // It depends on who is first whether a byte has left.
    assert_eq!(unnoticed(save(&client), &reset).await.as_sent(), sent(Interrupted));
}

#[test]
fn outside_of_a_runtime_it_is_an_error_and_no_panic() {
    let save = client("http://127.0.0.1:1").save(&usage());
    let mut save = pin!(save);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(result) = save.as_mut().poll(&mut context) else { panic!("it waits") };
    assert_eq!(Outcome::of(&result), in_vain(Other));
}
