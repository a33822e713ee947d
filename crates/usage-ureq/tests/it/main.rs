//! What is the adapter's own: what can be set on ureq, and an agent of the application's own. What
//! it has in common with its siblings is in the suite over all of them, in `tests/adapters`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod agent;
mod configured;
mod deadlines;
mod examples;
mod gate;
mod log;
#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

use testkit::outcome::Outcome;
use testkit::samples::{api, usage};
use testkit::scripted::PATIENCE;
use usage_proto::{Deadlines, Error, Saved, TransportError};
use usage_ureq::Client;
use usage_ureq::ureq::{self, Body, http};

/// What a middleware of ureq's gives back.
type Answer = Result<http::Response<Body>, ureq::Error>;

fn client(url: &str) -> Client {
    client_within(url, PATIENCE)
}

fn client_within(url: &str, total: Duration) -> Client {
    Client::configured(api(url), Deadlines::new().total(total), |builder| builder).unwrap()
}

/// What comes of a small report.
fn save(client: &Client) -> Outcome {
    Outcome::of(&client.save(&usage()))
}

fn unanswered(result: Result<Saved, Error>) -> TransportError {
    match result {
        Err(Error::Transport(error)) => error,
        other => panic!("expected no answer, got {other:?}"),
    }
}

/// What stands behind the error, in words.
fn source(error: &TransportError) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

#[test]
fn a_client_can_be_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Client>();
}

#[test]
#[cfg(not(feature = "tls"))]
fn https_without_tls_is_tls_and_says_what_to_turn_on() {
    let server = testkit::scripted::ScriptedServer::answering(testkit::samples::CREATED);
    let error = unanswered(client(&server.url().replace("http:", "https:")).save(&usage()));
    let expected = testkit::outcome::in_vain(usage_proto::TransportErrorKind::Tls);
    assert_eq!(Outcome::unanswered(&error), expected);
    assert!(source(&error).contains("feature `tls` of usage-ureq"), "{error:?}");
    assert!(!server.has_read());
}
