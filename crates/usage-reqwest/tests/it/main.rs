//! The adapter against a server that follows a script, over real sockets. Each test names the rule
//! of `docs/protocol.md` that it shows.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

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
mod sockets;
#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

use usage_proto::{
    Api, BaseUrl, Deadlines, Error, ResponseError, Saved, Token, TransportError, Usage, UsageData,
};
use usage_reqwest::Client;

/// No test waits longer than this for what should come.
const PATIENCE: Duration = Duration::from_secs(20);

/// For tests in which a deadline has to pass.
const SHORT: Duration = Duration::from_millis(300);

/// The same, where something has to come before, on a busy machine too.
const LESS_SHORT: Duration = Duration::from_millis(800);

/// For deadlines that are not to pass.
const AGES: Duration = Duration::from_secs(3600);

const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

const TOKEN: &str = "token-0123456789-token-0123456789-token-0123456789";

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
    let padding = "x".repeat(12 << 20);
    Usage::new("influxdb").data(UsageData::new().value("padding", padding))
}

fn large_client(url: &str, total: Duration) -> Client {
    let api = api(url).with_request_limit(16 << 20);
    Client::configured(api, Deadlines::new().total(total), |builder| builder).unwrap()
}

/// What comes of a call that has to end by itself.
async fn soon<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, call).await.unwrap()
}

fn refused(result: Result<Saved, Error>) -> ResponseError {
    match result {
        Err(Error::Response(error)) => error,
        other => panic!("expected an answer that is no success, got {other:?}"),
    }
}

fn unanswered(result: Result<Saved, Error>) -> TransportError {
    match result {
        Err(Error::Transport(error)) => error,
        other => panic!("expected no answer, got {other:?}"),
    }
}
