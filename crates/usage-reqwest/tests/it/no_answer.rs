//! W40: what has no complete head is a transport error, by kind, and honest about what was sent.

use std::future::poll_fn;
use std::net::TcpListener;
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::yield_now;
use tower_layer::layer_fn;
use tower_service::Service;
use usage_proto::TransportErrorKind::{self, Connect, Interrupted, Other, Protocol, Timeout};
use usage_proto::{Deadlines, Error, TransportError};
use usage_reqwest::Client;
use usage_reqwest::reqwest::ClientBuilder;
use usage_reqwest::reqwest::dns::{Name, Resolve, Resolving};

use crate::server::{Connection, Server};
use crate::{
    AGES, PATIENCE, SHORT, TOKEN, api, client, client_within, large_client, large_usage, soon,
    unanswered, usage,
};

/// The error from a server with this script; it says the right things about itself.
async fn from(script: impl Fn(Connection) + Send + Sync + 'static) -> TransportError {
    from_within(PATIENCE, script).await
}

async fn from_within(
    total: Duration,
    script: impl Fn(Connection) + Send + Sync + 'static,
) -> TransportError {
    let server = Server::start(script);
    let error = unanswered(client_within(&server.url(), total).save(&usage()).await);
    assert!(error.to_string().contains(&server.url()), "{error}");
    assert!(error.is_retryable());
    assert!(!format!("{error:?}").contains(TOKEN));
    error
}

async fn from_answer(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> TransportError {
    from(move |mut connection| {
        if connection.request().is_some() {
            connection.send(&answer);
        }
        connection.hang();
    })
    .await
}

#[track_caller]
fn expect(error: &TransportError, kind: TransportErrorKind, sent: bool) {
    assert_eq!((error.kind(), error.may_have_been_sent()), (kind, sent), "{error:?}");
}

#[tokio::test]
async fn refused_is_connect_and_nothing_was_sent() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = unanswered(client(&format!("http://127.0.0.1:{port}")).save(&usage()).await);
    expect(&error, Connect, false);
    assert!(error.is_retryable());
    assert_eq!(error.to_string(), format!("could not connect to http://127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_connect_and_nothing_was_sent() {
    // A label of 64 bytes cannot be asked for, so the look-up fails without a network too.
    for host in ["no-such-host.invalid", &format!("{}.invalid", "x".repeat(64))] {
        let error = unanswered(client(&format!("http://{host}")).save(&usage()).await);
        expect(&error, Connect, false);
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn closed_without_a_word_is_interrupted() {
    expect(&from(|mut connection| drop(connection.request())).await, Interrupted, true);
    expect(&from(|mut connection| drop(connection.head())).await, Interrupted, true);
    expect(&from(drop).await, Interrupted, true);
}

#[tokio::test]
async fn reset_is_interrupted() {
    expect(&from(Connection::reset).await, Interrupted, true);
    let error = from(|mut connection| {
        connection.request();
        connection.reset();
    })
    .await;
    expect(&error, Interrupted, true);
}

#[tokio::test]
async fn reset_before_anyone_looks_is_interrupted() {
    let (reset, was_reset) = mpsc::channel();
    let server = Server::start(move |connection| {
        connection.reset();
        reset.send(()).unwrap();
    });
    let client = client(&server.url());
    let mut save = pin!(client.save(&usage()));
    // To the call's own first pause, and then to where it connects.
    assert!(poll_immediately(save.as_mut()).await.is_none());
    yield_now().await;
    assert!(poll_immediately(save.as_mut()).await.is_none());
    // Blocks the runtime too, which learns of the connection and of its end at once.
    was_reset.recv().unwrap();
    expect(&unanswered(save.await), Interrupted, true);
}

async fn poll_immediately<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn an_end_within_the_head_is_interrupted() {
    for part in
        ["H", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nA: b\r\n"]
    {
        let close = move |mut connection: Connection| {
            connection.request();
            connection.send(part);
        };
        expect(&from(close).await, Interrupted, true);
        let reset = move |mut connection: Connection| {
            connection.request();
            connection.send(part);
            connection.reset();
        };
        expect(&from(reset).await, Interrupted, true);
    }
}

#[tokio::test]
async fn an_end_while_the_request_is_being_sent_is_interrupted() {
    let server = Server::start(|mut connection| drop(connection.head()));
    let error = unanswered(large_client(&server.url(), PATIENCE).save(&large_usage()).await);
    expect(&error, Interrupted, true);
}

#[tokio::test]
async fn w41_a_deadline_is_a_timeout_in_every_phase() {
    // Before the head, and in the head.
    for part in ["", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"] {
        let error = from_within(SHORT, move |mut connection| {
            connection.request();
            connection.send(part);
            connection.hang();
        });
        expect(&error.await, Timeout, true);
    }
    // In interim answers without end.
    let error = from_within(SHORT, |mut connection| {
        connection.request();
        while connection.try_send("HTTP/1.1 102 Processing\r\n\r\n".repeat(10)).is_ok() {
            std::thread::sleep(SHORT / 300);
        }
    });
    expect(&error.await, Timeout, true);

    // A request without a body has left no less.
    let server = Server::start(Connection::hang);
    let request = http::Request::post(server.url()).body(bytes::Bytes::new()).unwrap();
    let error = client_within(&server.url(), SHORT).execute(request).await.unwrap_err();
    expect(&error, Timeout, true);

    // While the request is being sent.
    let server = Server::start(|connection| {
        std::thread::sleep(SHORT * 2);
        connection.hang();
    });
    let error = unanswered(large_client(&server.url(), SHORT).save(&large_usage()).await);
    expect(&error, Timeout, true);
}

/// A resolver that never finds out.
struct Never;

impl Resolve for Never {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn w41_a_deadline_before_there_is_a_connection_leaves_nothing_sent() {
    for (deadlines, reason) in [
        (Deadlines::new().total(AGES).connect(SHORT), "it took longer than 0.3 s to connect"),
        (Deadlines::new().total(SHORT).connect(AGES), "it took longer than 0.3 s in all"),
    ] {
        let configure = |builder: ClientBuilder| builder.dns_resolver(Never);
        let client = Client::configured(api("http://usage.example"), deadlines, configure).unwrap();
        let error = unanswered(soon(client.save(&usage())).await);
        expect(&error, Timeout, false);
        assert!(error.is_retryable());
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), reason);
    }
}

#[tokio::test]
async fn w41_the_connect_deadline_says_nothing_about_an_answer() {
    let server = Server::start(|mut connection| {
        connection.request();
        std::thread::sleep(SHORT);
        connection.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
        connection.hang();
    });
    let deadlines = Deadlines::new().total(PATIENCE).connect(SHORT / 2);
    let client = Client::configured(api(&server.url()), deadlines, |builder| builder).unwrap();
    client.save(&usage()).await.unwrap();
}

#[tokio::test]
async fn w41_a_deadline_of_nothing_or_of_ages_does_no_harm() {
    let server = Server::answering("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    let error = unanswered(client_within(&server.url(), Duration::ZERO).save(&usage()).await);
    expect(&error, Timeout, false);
    assert_eq!(server.requests().len(), 0);
    client_within(&server.url(), Duration::MAX).save(&usage()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_head_is_protocol() {
    for answer in [
        "nonsense\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/0.9 200 OK\r\n\r\n",
        "HTTP/3 200 OK\r\n\r\n",
        "HTTP/1.1 000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 1000 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ] {
        let error = from_answer(answer).await;
        assert_eq!(error.kind(), Protocol, "{answer:?}: {error:?}");
        assert!(error.may_have_been_sent());
    }
}

#[tokio::test]
async fn a_server_that_speaks_first_is_protocol() {
    let banner = |mut connection: Connection| {
        connection.send("220 mail.example ESMTP\r\n");
        connection.hang();
    };
    assert_eq!(from(banner).await.kind(), Protocol);
}

/// Hands out a connection only once the server has spoken.
#[derive(Clone)]
struct Late<C> {
    connector: C,
    spoken: Arc<Notify>,
}

impl<C, To> Service<To> for Late<C>
where
    C: Service<To, Response: Send, Error: Send, Future: Send + 'static>,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, to: To) -> Self::Future {
        let (connecting, spoken) = (self.connector.call(to), Arc::clone(&self.spoken));
        Box::pin(async move {
            let connection = connecting.await;
            spoken.notified().await;
            connection
        })
    }
}

#[tokio::test]
async fn what_comes_before_the_request_is_protocol() {
    let spoken = Arc::new(Notify::new());
    let server = Server::start({
        let spoken = Arc::clone(&spoken);
        move |mut connection| {
            connection.send("SSH-2.0-OpenSSH_9.9\r\n");
            spoken.notify_one();
            connection.hang();
        }
    });
    let late = layer_fn(move |connector| Late { connector, spoken: Arc::clone(&spoken) });
    let client = Client::configured(api(&server.url()), Deadlines::new(), |builder| {
        builder.connector_layer(late)
    });
    let error = unanswered(soon(client.unwrap().save(&usage())).await);
    assert_eq!(error.kind(), Protocol, "{error:?}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_protocol() {
    let one = format!("HTTP/1.1 200 OK\r\nX-Large: {}\r\n\r\n", "x".repeat(11 << 20));
    expect(&from_answer(one).await, Protocol, true);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Many: x\r\n".repeat(10_000));
    expect(&from_answer(many).await, Protocol, true);
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_is_other_and_not_retried() {
    let client = client("http://127.0.0.1:1");
    for uri in ["/no/host", "ftp://127.0.0.1/"] {
        let request = http::Request::post(uri).body(bytes::Bytes::new()).unwrap();
        let error = client.execute(request).await.unwrap_err();
        expect(&error, Other, false);
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn an_error_tells_each_thing_once() {
    let error = from(|mut connection| drop(connection.request())).await;
    let mut told = vec![error.to_string()];
    let error = Error::from(error);
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        told.push(error.to_string());
        source = error.source();
    }
    for (index, text) in told.iter().enumerate() {
        let again = told.iter().skip(index + 1).any(|other| other.contains(text));
        assert!(!again, "{told:?}");
    }
    // The URL is named once, and by its origin.
    assert_eq!(told.concat().matches("http://").count(), 1, "{told:?}");
}
