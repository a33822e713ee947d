//! The adapter against a server that follows a script, over real sockets. Each test names the rule
//! of `docs/protocol.md` that it shows.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod answers;
mod bodies;
mod cancel;
mod child;
mod configured;
mod environment;
mod no_answer;
mod proxy;
mod secrets;
mod server;
mod service;
mod sockets;
#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

use usage_hyper::Client;
use usage_proto::{
    Api, BaseUrl, Deadlines, Error, ResponseError, Saved, Token, TransportError,
    TransportErrorKind, Usage, UsageData,
};

/// No test waits longer than this for what should come.
const PATIENCE: Duration = Duration::from_secs(20);

/// For tests in which a deadline has to pass.
const SHORT: Duration = Duration::from_millis(300);

const TOKEN: &str = "token-0123456789-token-0123456789-token-0123456789";

const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

fn api(url: &str) -> Api {
    let base_url: BaseUrl = url.parse().unwrap();
    Api::new(base_url.allow_plaintext_token()).with_token(Token::new(TOKEN).unwrap()).unwrap()
}

fn client(url: &str) -> Client {
    client_within(url, PATIENCE)
}

fn client_within(url: &str, total: Duration) -> Client {
    Client::configured(api(url), Deadlines::new().total(total), |builder| builder).unwrap()
}

fn usage() -> Usage {
    Usage::new("influxdb").data(UsageData::new().tag("os", "linux").value("num_databases", 3))
}

/// A report that does not fit into the buffers between two sockets.
fn large_usage() -> Usage {
    Usage::new("influxdb").data(UsageData::new().value("padding", "x".repeat(12 << 20)))
}

fn large_client(url: &str, total: Duration) -> Client {
    let api = api(url).with_request_limit(16 << 20);
    Client::configured(api, Deadlines::new().total(total), |builder| builder).unwrap()
}

#[track_caller]
fn refused(result: Result<Saved, Error>) -> ResponseError {
    match result {
        Err(Error::Response(error)) => error,
        other => panic!("expected an answer that is no success, got {other:?}"),
    }
}

#[track_caller]
fn unanswered(result: Result<Saved, Error>) -> TransportError {
    match result {
        Err(Error::Transport(error)) => error,
        other => panic!("expected no answer, got {other:?}"),
    }
}

/// Compares what an error says about itself.
#[track_caller]
fn expect(error: &TransportError, kind: TransportErrorKind, sent: bool, retryable: bool) {
    let found = (error.kind(), error.may_have_been_sent(), error.is_retryable());
    assert_eq!(found, (kind, sent, retryable), "{error:?}");
}
