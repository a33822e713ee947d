//! What is the adapter's own: what can be set, what its pool does, and what comes of being async and
//! of other services. What it has in common with its siblings is in the suite over
//! all of them, in `tests/adapters`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod cancel;
mod configured;
mod connections;
mod early;
mod event;
mod examples;
mod races;
mod runtimes;
mod service;
#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

use testkit::outcome::Outcome;
use testkit::samples::{api, usage};
use testkit::scripted::PATIENCE;
use usage_hyper::{Client, Config};
use usage_proto::{Deadlines, Error, Saved, TransportError};

fn client(url: &str) -> Client {
    client_within(url, PATIENCE)
}

fn client_within(url: &str, total: Duration) -> Client {
    Client::configured(api(url), Deadlines::new().total(total), Config::new()).unwrap()
}

/// What comes of a small report.
async fn save(client: &Client) -> Outcome {
    Outcome::of(&client.save(&usage()).await)
}

#[track_caller]
fn unanswered(result: Result<Saved, Error>) -> TransportError {
    match result {
        Err(Error::Transport(error)) => error,
        other => panic!("expected no answer, got {other:?}"),
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn https_without_tls_says_what_to_do() {
    let error = unanswered(client("https://usage.example").save(&usage()).await);
    let expected = testkit::outcome::in_vain(usage_proto::TransportErrorKind::Tls);
    assert_eq!(Outcome::unanswered(&error), expected);
    let advice = std::error::Error::source(&error).unwrap().to_string();
    assert!(advice.contains("feature `tls`"), "{advice}");
}
