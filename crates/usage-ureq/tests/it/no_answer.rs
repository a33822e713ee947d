//! W40: what has no complete head is a transport error, by kind, and honest about what was sent.

use std::io::Read;
use std::net::TcpListener;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use usage_proto::TransportErrorKind::{self, Connect, Interrupted, Other, Protocol, Timeout};
use usage_proto::{Deadlines, Error, TransportError, Usage, UsageData};
use usage_ureq::Client;
use usage_ureq::ureq::middleware::MiddlewareNext;
use usage_ureq::ureq::{self, Body, SendBody};

use crate::server::{Connection, Server};
use crate::{
    PATIENCE, SHORT, TOKEN, api, client, client_within, large_client, large_usage, source,
    unanswered, usage,
};

/// The error from a server with this script; it says the right things about itself.
fn from(script: impl Fn(Connection) + Send + Sync + 'static) -> TransportError {
    let server = Server::start(script);
    let error = unanswered(client_within(&server.url(), SHORT).save(&usage()));
    assert!(error.to_string().contains(&server.url()), "{error}");
    assert!(error.is_retryable());
    assert!(!format!("{error:?}").contains(TOKEN));
    error
}

fn from_answer(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> TransportError {
    from(move |mut connection| {
        if connection.request().is_some() {
            connection.send(&answer);
        }
        connection.hang();
    })
}

#[track_caller]
fn expect(error: &TransportError, kind: TransportErrorKind, sent: bool) {
    assert_eq!((error.kind(), error.may_have_been_sent()), (kind, sent), "{error:?}");
}

#[test]
fn refused_is_connect_and_nothing_was_sent() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = unanswered(client(&format!("http://127.0.0.1:{port}")).save(&usage()));
    expect(&error, Connect, false);
    assert!(error.is_retryable());
    assert_eq!(error.to_string(), format!("could not connect to http://127.0.0.1:{port}"));
}

#[test]
fn a_name_that_does_not_exist_is_connect_and_nothing_was_sent() {
    // A label of 64 bytes cannot be asked for, so the look-up fails without a network too.
    for host in ["no-such-host.invalid", &format!("{}.invalid", "x".repeat(64))] {
        let error = unanswered(client(&format!("http://{host}")).save(&usage()));
        expect(&error, Connect, false);
        assert!(error.is_retryable());
    }
}

#[test]
fn closed_without_a_word_is_interrupted() {
    expect(&from(|mut connection| drop(connection.request())), Interrupted, true);
    expect(&from(|mut connection| drop(connection.head())), Interrupted, true);
    expect(&from(drop), Interrupted, true);
}

#[test]
fn reset_is_interrupted() {
    // At once, perhaps before anything was sent.
    assert_eq!(from(Connection::reset).kind(), Interrupted);
    let error = from(|mut connection| {
        connection.request();
        connection.reset();
    });
    expect(&error, Interrupted, true);
}

#[test]
fn an_end_within_the_head_is_interrupted() {
    for part in
        ["H", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nA: b\r\n"]
    {
        let close = move |mut connection: Connection| {
            connection.request();
            connection.send(part);
        };
        expect(&from(close), Interrupted, true);
        let reset = move |mut connection: Connection| {
            connection.request();
            connection.send(part);
            connection.reset();
        };
        expect(&from(reset), Interrupted, true);
    }
}

#[test]
fn an_end_while_the_request_is_being_sent_is_interrupted() {
    let server = Server::start(|mut connection| drop(connection.head()));
    let error = unanswered(large_client(&server.url(), PATIENCE).save(&large_usage()));
    expect(&error, Interrupted, true);
}

#[test]
fn w41_a_deadline_is_a_timeout_in_every_phase() {
    // Before the head, in the head, in interim answers without end.
    expect(&from_answer(""), Timeout, true);
    expect(&from_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), Timeout, true);
    let error = from(|mut connection| {
        connection.request();
        while connection.try_send("HTTP/1.1 102 Processing\r\n\r\n".repeat(100)).is_ok() {}
    });
    expect(&error, Timeout, true);

    // While the request is being sent.
    let server = Server::start(|connection| {
        std::thread::sleep(SHORT * 2);
        connection.hang();
    });
    let error = unanswered(large_client(&server.url(), SHORT).save(&large_usage()));
    expect(&error, Timeout, true);
}

/// The buffers of the sockets are small, so that the client is still sending at the deadline.
#[test]
fn w41_a_server_that_stops_reading_or_reads_slowly_ends_with_the_deadline() {
    let second = Duration::from_secs(1);
    for slowly in [false, true] {
        let (done, until_done) = mpsc::channel::<()>();
        let until_done = Mutex::new(until_done);
        let server = Server::start_with_room(4 << 10, move |mut connection| {
            connection.head();
            let mut piece = vec![0; 64 << 10];
            while until_done.lock().unwrap().recv_timeout(SHORT)
                == Err(mpsc::RecvTimeoutError::Timeout)
            {
                if slowly {
                    let _ = connection.stream.read(&mut piece);
                }
            }
        });
        let report =
            Usage::new("influxdb").data(UsageData::new().value("padding", "x".repeat(1_000_000)));
        for report in [&report, &large_usage()] {
            let error = unanswered(large_client(&server.url(), second).save(report));
            expect(&error, Timeout, true);
            assert_eq!(source(&error), "it took longer than 1 s in all");
        }
        drop(done);
    }
}

#[test]
fn w41_the_deadline_that_passed_is_told() {
    let server = Server::start(Connection::hang);
    let error = unanswered(client_within(&server.url(), SHORT).save(&usage()));
    assert_eq!(source(&error), "it took longer than 0.3 s in all");
    let deadlines = Deadlines::new().connect(Duration::ZERO);
    let client = Client::configured(api(&server.url()), deadlines, |builder| builder).unwrap();
    let error = unanswered(client.save(&usage()));
    expect(&error, Timeout, false);
    assert_eq!(source(&error), "it took longer than 0 s to connect");
}

#[test]
fn w41_the_connect_deadline_counts_from_the_start_of_the_call() {
    fn dawdle(
        request: http::Request<SendBody<'_>>,
        next: MiddlewareNext<'_>,
    ) -> Result<http::Response<Body>, ureq::Error> {
        std::thread::sleep(SHORT * 2);
        next.handle(request)
    }
    let server = Server::answering("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    let deadlines = Deadlines::new().total(PATIENCE).connect(SHORT);
    let client = Client::configured(api(&server.url()), deadlines, |b| b.middleware(dawdle));
    expect(&unanswered(client.unwrap().save(&usage())), Timeout, false);
}

#[test]
fn w41_a_deadline_of_nothing_or_of_ages_does_no_harm() {
    let server = Server::answering("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    let error = unanswered(client_within(&server.url(), Duration::ZERO).save(&usage()));
    expect(&error, Timeout, false);
    assert_eq!(server.requests().len(), 0);
    client_within(&server.url(), Duration::MAX).save(&usage()).unwrap();
}

#[test]
fn what_is_no_head_is_protocol() {
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
        let error = from_answer(answer);
        assert_eq!(error.kind(), Protocol, "{answer:?}: {error:?}");
        assert!(error.may_have_been_sent());
    }
}

#[test]
fn a_head_that_is_too_large_is_protocol() {
    let one = format!("HTTP/1.1 200 OK\r\nX-Large: {}\r\n\r\n", "x".repeat(11 << 20));
    expect(&from_answer(one), Protocol, true);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Many: x\r\n".repeat(10_000));
    expect(&from_answer(many), Protocol, true);
}

#[test]
fn a_request_that_cannot_be_sent_is_other_and_not_retried() {
    let client = client("http://127.0.0.1:1");
    for uri in ["/no/host", "ftp://127.0.0.1/"] {
        let request = http::Request::post(uri).body(bytes::Bytes::new()).unwrap();
        let error = client.execute(request).unwrap_err();
        expect(&error, Other, false);
        assert!(!error.is_retryable());
    }
}

#[test]
#[cfg(not(feature = "tls"))]
fn https_without_tls_is_tls_and_says_what_to_turn_on() {
    let client = client("https://127.0.0.1:1");
    let error = unanswered(client.save(&usage()));
    expect(&error, TransportErrorKind::Tls, false);
    assert!(!error.is_retryable());
    assert!(source(&error).contains("feature `tls` of usage-ureq"), "{error:?}");
}

#[test]
fn an_error_tells_each_thing_once() {
    let error = from(|mut connection| drop(connection.request()));
    let mut told = vec![error.to_string()];
    let error = Error::from(error);
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        told.push(error.to_string());
        source = error.source();
    }
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(!told[0].contains(&told[1]), "{told:?}");
}
