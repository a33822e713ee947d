//! What is the adapter's own: what can be set on reqwest, a client of the application's, and what
//! comes of being async. What it has in common with its siblings is in the suite over all of them, in
//! `tests/adapters`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod cancel;
mod configured;
mod connections;
mod deadlines;
mod examples;
mod interim;
mod own_client;
mod runtimes;
mod secrets;
#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

use testkit::outcome::Outcome;
use testkit::samples::{api, usage};
use testkit::scripted::PATIENCE;
use usage_proto::{Deadlines, Error, Saved, TransportError};
use usage_reqwest::Client;

fn client(url: &str) -> Client {
    client_within(url, PATIENCE)
}

fn client_within(url: &str, total: Duration) -> Client {
    Client::configured(api(url), Deadlines::new().total(total), |builder| builder).unwrap()
}

/// What comes of a small report.
async fn save(client: &Client) -> Outcome {
    Outcome::of(&client.save(&usage()).await)
}

/// What comes of a call that has to end by itself.
async fn soon<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, call).await.unwrap()
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

/// TLS that trusts these authorities and no other.
#[cfg(feature = "tls")]
fn trusting(roots: rustls::RootCertStore) -> rustls::ClientConfig {
    let provider = rustls::crypto::ring::default_provider();
    rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}
