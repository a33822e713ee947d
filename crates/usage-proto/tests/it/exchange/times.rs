use super::*;
use TransportErrorKind::{Connect, Interrupted, Protocol, Timeout, Tls};
use std::io::{Error, ErrorKind};
use usage_proto::TransportError;

#[test]
fn w41_the_deadlines_count_from_the_start() {
    let mut exchange = begun();
    assert_eq!(exchange.timeout(), Some(after(30)));
    exchange.handle_timeout(after(29));
    exchange.connected(after(29));
    assert_eq!(exchange.timeout(), Some(after(60)));
    exchange.handle_timeout(after(59));
    assert!(!exchange.to_write().is_empty());
    exchange.handle_timeout(after(60));
    assert_eq!(exchange.timeout(), None);
    let error = exchange.take_outcome().unwrap().unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "no answer from http://usage.example.com:8086 in time: it took longer than 60 s in all"
    );
}

#[test]
fn w41_nothing_is_sent_before_there_is_a_connection() {
    let mut exchange = begun();
    exchange.handle_timeout(after(30));
    let error = exchange.take_outcome().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (Timeout, false));
    assert!(format!("{error:#}").ends_with(": it took longer than 30 s to connect"), "{error:#}");

    // A connection that comes too late is none.
    let mut late = begun();
    late.connected(after(31));
    assert!(late.to_write().is_empty());
    assert_eq!(outcome(&mut late), Some(unsent(Timeout)));

    // It never outlasts the total.
    let deadlines = Deadlines::new().total(Duration::from_secs(5));
    let mut short = Exchange::new(&request(), LIMIT, deadlines, start());
    assert_eq!(short.timeout(), Some(after(5)));
    short.handle_timeout(after(5));
    let error = short.take_outcome().unwrap().unwrap_err();
    assert!(format!("{error:#}").ends_with(": it took longer than 5 s in all"), "{error:#}");
}

#[test]
fn w41_what_drips_in_after_the_deadline_does_not_count() {
    // No call of `handle_timeout`: reading is enough.
    let mut exchange = written();
    for second in 1..60 {
        exchange.read(after(second), b"\n");
        assert!(exchange.wants_read());
    }
    exchange.read(after(60), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(outcome(&mut exchange), Some(sent(Timeout)));

    let mut body = written();
    body.read(start(), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{");
    body.read(after(60), b"}");
    assert_eq!(outcome(&mut body), Some(broken_off(200, "{")));
}

#[test]
fn w41_a_deadline_beyond_the_clock_never_passes() {
    let deadlines = Deadlines::new().total(Duration::MAX).connect(Duration::MAX);
    let mut exchange = Exchange::new(&request(), LIMIT, deadlines, start());
    assert_eq!(exchange.timeout(), None);
    exchange.handle_timeout(after(1 << 32));
    assert_eq!(outcome(&mut exchange), None);
}

#[test]
fn w40_the_caller_says_what_has_failed_on_the_way() {
    type Fail = fn(&mut Exchange, Error);
    let refused = || Error::from(ErrorKind::ConnectionRefused);
    let ways: [(Fail, Outcome); 5] = [
        (|exchange, error| exchange.failed(TransportError::connect(error)), unsent(Connect)),
        (|exchange, error| exchange.failed(TransportError::certificate(error)), unsent(Tls)),
        (|exchange, error| exchange.failed(TransportError::timeout(error)), unsent(Timeout)),
        (Exchange::write_failed, unsent(Connect)),
        (Exchange::read_failed, unsent(Connect)),
    ];
    for (fail, expected) in ways {
        let mut exchange = begun();
        fail(&mut exchange, refused());
        assert_eq!(outcome(&mut exchange), Some(expected));
    }
    let mut closed = begun();
    closed.read(start(), &[]);
    assert_eq!(outcome(&mut closed), Some(unsent(Connect)));
}

#[test]
fn w40_an_error_is_never_bolder_than_what_was_handed_out() {
    let mut exchange = begun();
    exchange.connected(start());
    exchange.read_failed(ErrorKind::ConnectionReset.into());
    assert_eq!(outcome(&mut exchange), Some(unsent(Interrupted)));

    // It was handed out: that it was not written is not known.
    let mut exchange = begun();
    exchange.connected(start());
    assert!(!exchange.to_write().is_empty());
    exchange.failed(TransportError::connect("gives up"));
    assert_eq!(outcome(&mut exchange), Some(sent(Connect)));

    let mut first = begun();
    first.read(start(), b"220 mail.example ESMTP\r\n");
    assert_eq!(outcome(&mut first), Some(unsent(Protocol)));
}

#[test]
fn w40_a_failed_write_leaves_the_answer_to_the_reader() {
    let mut exchange = begun();
    exchange.connected(start());
    assert!(!exchange.to_write().is_empty());
    exchange.write_failed(ErrorKind::BrokenPipe.into());
    assert!(exchange.to_write().is_empty());
    exchange.read(start(), b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(outcome(&mut exchange), Some(answer(401, "")));

    let mut exchange = begun();
    exchange.connected(start());
    assert!(!exchange.to_write().is_empty());
    exchange.write_failed(ErrorKind::BrokenPipe.into());
    exchange.read(start(), &[]);
    let error = exchange.take_outcome().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (Interrupted, true));
    assert!(format!("{error:#}").ends_with(": broken pipe"), "{error:#}");
}

#[test]
fn a_socket_that_is_not_ready_has_not_failed() {
    for kind in [ErrorKind::WouldBlock, ErrorKind::Interrupted] {
        let mut exchange = begun();
        exchange.read_failed(kind.into());
        exchange.connected(start());
        exchange.write_failed(kind.into());
        exchange.read_failed(kind.into());
        assert!(exchange.wants_read());
        let length = exchange.to_write().len();
        exchange.wrote(length);
        exchange.read(start(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        assert!(exchange.is_reusable());
    }
}
