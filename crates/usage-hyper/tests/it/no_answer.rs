//! W40: what has no complete head is a transport error, by kind, and honest about what was sent.

use std::future::poll_fn;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::mpsc::{Receiver, channel};
use std::task::Poll;
use std::time::Duration;

use usage_proto::TransportErrorKind::{Connect, Interrupted, Other, Protocol, Timeout};
use usage_proto::{Error, TransportError};

use crate::server::{Connection, Server};
use crate::{
    CREATED, PATIENCE, SHORT, TOKEN, client, client_within, expect, large_client, large_usage,
    unanswered, usage,
};

/// The error from a server with this script; it says the right things about itself.
async fn from(script: impl Fn(Connection) + Send + Sync + 'static) -> TransportError {
    let server = Server::start(script);
    let error = unanswered(client_within(&server.url(), SHORT).save(&usage()).await);
    assert!(error.to_string().contains(&server.url()), "{error}");
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

#[tokio::test]
async fn refused_is_connect_and_nothing_was_sent() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = unanswered(client(&format!("http://127.0.0.1:{port}")).save(&usage()).await);
    expect(&error, Connect, false, true);
    assert_eq!(error.to_string(), format!("could not connect to http://127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_connect_and_nothing_was_sent() {
    // A label of 64 bytes cannot be asked for, so the look-up fails without a network too.
    for host in ["no-such-host.invalid", &format!("{}.invalid", "x".repeat(64))] {
        let error = unanswered(client(&format!("http://{host}")).save(&usage()).await);
        expect(&error, Connect, false, true);
    }
}

#[tokio::test]
async fn closed_without_a_word_is_interrupted() {
    expect(&from(|mut connection| drop(connection.request())).await, Interrupted, true, true);
    expect(&from(|mut connection| drop(connection.head())).await, Interrupted, true, true);
    expect(&from(drop).await, Interrupted, true, true);
}

#[tokio::test]
async fn reset_is_interrupted() {
    expect(&from(Connection::reset).await, Interrupted, true, true);
    let error = from(|mut connection| {
        connection.request();
        connection.reset();
    });
    expect(&error.await, Interrupted, true, true);
}

/// A server that resets, and what tells that it has.
pub(crate) fn resetting() -> (Server, Receiver<()>) {
    let (resets, reset) = channel();
    let server = Server::start(move |connection| {
        connection.reset();
        resets.send(()).unwrap();
    });
    (server, reset)
}

/// Lets the future connect, and notice what comes of it only after the server has reset.
pub(crate) async fn unnoticed<F: Future>(future: F, reset: &Receiver<()>) -> F::Output {
    let mut future = pin!(future);
    // The first poll goes to the first pause, the second one connects.
    for _ in 0..2 {
        assert!(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_pending());
    }
    reset.recv_timeout(PATIENCE).unwrap();
    future.await
}

#[tokio::test]
async fn a_reset_that_overtakes_the_connect_is_interrupted_too() {
    let (server, reset) = resetting();
    let client = client(&server.url());
    expect(&unanswered(unnoticed(client.save(&usage()), &reset).await), Interrupted, true, true);
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
        expect(&from(close).await, Interrupted, true, true);
        let reset = move |mut connection: Connection| {
            connection.request();
            connection.send(part);
            connection.reset();
        };
        expect(&from(reset).await, Interrupted, true, true);
    }
}

#[tokio::test]
async fn an_end_while_the_request_is_being_sent_is_interrupted() {
    for end in [drop::<Connection>, Connection::reset] {
        let server = Server::start(move |mut connection| {
            connection.head();
            end(connection);
        });
        let error = large_client(&server.url(), PATIENCE).save(&large_usage()).await;
        expect(&unanswered(error), Interrupted, true, true);
    }
}

#[tokio::test]
async fn w41_the_total_deadline_is_a_timeout_in_every_phase() {
    // Before the head, in the head, in interim answers without end.
    expect(&from_answer("").await, Timeout, true, true);
    expect(&from_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n").await, Timeout, true, true);
    let flood = from(|mut connection| {
        connection.request();
        while connection.try_send("HTTP/1.1 102 Processing\r\n\r\n".repeat(100)).is_ok() {}
    });
    expect(&flood.await, Timeout, true, true);

    // While the request is being sent.
    let server = Server::start(|connection| {
        std::thread::sleep(SHORT * 2);
        connection.hang();
    });
    let error = large_client(&server.url(), SHORT).save(&large_usage()).await;
    expect(&unanswered(error), Timeout, true, true);
}

#[tokio::test]
async fn w41_a_deadline_of_nothing_or_of_ages_does_no_harm() {
    let server = Server::answering(CREATED);
    let error = unanswered(client_within(&server.url(), Duration::ZERO).save(&usage()).await);
    expect(&error, Timeout, false, true);
    assert_eq!(server.connections(), 0);
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
        expect(&from_answer(answer).await, Protocol, true, true);
    }
}

#[tokio::test]
async fn a_server_that_speaks_first_is_no_http_server() {
    let error = from(|mut connection| {
        connection.send("220 mail.example ESMTP\r\n");
        connection.hang();
    });
    expect(&error.await, Protocol, true, true);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_protocol() {
    let one = format!("HTTP/1.1 200 OK\r\nX-Large: {}\r\n\r\n", "x".repeat(11 << 20));
    expect(&from_answer(one).await, Protocol, true, true);
    let above_ours = format!("HTTP/1.1 200 OK\r\nX-Large: {}\r\n\r\n", "x".repeat(200 << 10));
    expect(&from_answer(above_ours).await, Protocol, true, true);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Many: x\r\n".repeat(10_000));
    expect(&from_answer(many).await, Protocol, true, true);
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_is_other_and_not_retried() {
    let client = client("http://127.0.0.1:1");
    for uri in ["/no/host", "ftp://127.0.0.1/"] {
        let request = http::Request::post(uri).body(bytes::Bytes::new()).unwrap();
        expect(&client.execute(request).await.unwrap_err(), Other, false, false);
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn https_without_tls_says_what_to_do() {
    let error = unanswered(client("https://usage.example").save(&usage()).await);
    expect(&error, usage_proto::TransportErrorKind::Tls, false, false);
    let advice = std::error::Error::source(&error).unwrap().to_string();
    assert!(advice.contains("feature `tls`"), "{advice}");
}

#[test]
fn outside_of_a_runtime_it_is_an_error_and_no_panic() {
    let save = client("http://127.0.0.1:1").save(&usage());
    let mut save = std::pin::pin!(save);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(result) = save.as_mut().poll(&mut context) else { panic!("it waits") };
    expect(&unanswered(result), Other, false, false);
}

#[tokio::test]
async fn an_error_tells_each_thing_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let refused = unanswered(client(&url).save(&usage()).await);
    let closed = from(|mut connection| drop(connection.request())).await;
    for (error, lines) in [(refused, 3), (closed, 2)] {
        let mut told = vec![error.to_string()];
        let error = Error::from(error);
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            told.push(error.to_string());
            source = error.source();
        }
        assert_eq!(told.len(), lines, "{told:?}");
        for pair in told.windows(2) {
            assert!(!pair[0].contains(&pair[1]), "{told:?}");
        }
    }
}
