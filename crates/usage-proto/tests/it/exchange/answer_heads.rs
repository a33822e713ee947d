use super::*;
use TransportErrorKind::{Interrupted, Protocol, Timeout};

#[test]
fn w40_odd_heads_are_heads() {
    for head in [
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\n",
        "\r\n\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 \u{fc}\r\nX: \u{fc}\r\nContent-Length:2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX:\r\ncontent-length: \t 2 \t\r\n\r\n",
    ] {
        assert_eq!(told(format!("{head}{{}}"), false), answer(200, "{}"), "{head:?}");
    }
}

#[test]
fn w40_what_is_not_http_is_told_before_it_ends() {
    for (text, because) in [
        ("nonsense\r\n\r\n", "invalid HTTP version"),
        ("{\"error\":\"no head at all\"}", "invalid HTTP version"),
        ("SSH-2.0-OpenSSH_9.9\r\n", "invalid HTTP version"),
        ("220 mail.example ESMTP\r\n", "invalid HTTP version"),
        ("HTTP/0.9 200 OK\r\n\r\n", "invalid HTTP version"),
        ("HTTP/2 200 OK\r\n\r\n", "invalid HTTP version"),
        ("HTTP/3.0 200 OK\r\n\r\n", "invalid HTTP version"),
        ("http/1.1 200 OK\r\n\r\n", "invalid HTTP version"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "invalid HTTP version"),
        ("HTTP/1.1  200 OK\r\n\r\n", "invalid response status"),
        ("HTTP/1.1 2000 OK\r\n", "invalid response status"),
        ("HTTP/1.1 099 OK\r\n", "invalid response status"),
        ("HTTP/1.1 200 OK\r\nno colon\r\n", "invalid header name"),
        ("HTTP/1.1 200 OK\r\na b: c\r\n", "invalid header name"),
        ("HTTP/1.1 200 OK\r\n: c\r\n", "invalid header name"),
        ("HTTP/1.1 200 OK\r\na: b\r\n c\r\n", "invalid header name"),
        ("HTTP/1.1 200 OK\r\na: \0\r\n", "invalid header value"),
        ("HTTP/1.1 200 OK\r\na: b\rc\r\n", "invalid header value"),
    ] {
        assert_eq!(told(text, false), sent(Protocol), "{text:?}");
        let mut exchange = written();
        exchange.read(start(), text.as_bytes());
        let error = exchange.take_outcome().unwrap().unwrap_err();
        assert!(format!("{error:#}").ends_with(because), "{text:?}: {error:#}");
    }
}

#[test]
fn w40_a_head_that_breaks_off_is_no_answer() {
    for text in [
        "",
        "H",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nA: b\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n\r",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        assert_eq!(told(text, true), sent(Interrupted), "{text:?}");
        assert_eq!(told(text, false), sent(Timeout), "{text:?}");
        let mut exchange = written();
        if !text.is_empty() {
            exchange.read(start(), text.as_bytes());
        }
        exchange.read_failed(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(outcome(&mut exchange), Some(sent(Interrupted)));
    }
}

#[test]
fn w40_a_head_is_bounded() {
    let line = |length: usize| format!("X: {}\r\n", "x".repeat(length));
    let lines = |count: usize| "X: x\r\n".repeat(count);
    for (lines, expected) in [
        (line(60 << 10), answer(200, "{}")),
        (line(70 << 10), sent(Protocol)),
        (line(200 << 10), sent(Protocol)),
        (lines(99), answer(200, "{}")),
        (lines(100), sent(Protocol)),
        (lines(10_000), sent(Protocol)),
        // What is optional in a head does not count against it, and has an end all the same.
        (format!("X:{}x\r\n", " ".repeat(63 << 10)), answer(200, "{}")),
        (format!("X:{}x\r\n", " ".repeat(130 << 10)), sent(Protocol)),
    ] {
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{lines}\r\n{{}}");
        let mut exchange = written();
        exchange.read(start(), text.as_bytes());
        assert_eq!(outcome(&mut exchange), Some(expected), "{} bytes", text.len());
    }
}

#[test]
fn w40_at_most_a_hundred_interim_answers_are_passed_over() {
    const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
    const WAIT: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    const FINAL: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(told([WAIT, HINTS, FINAL].concat(), true), answer(201, "{}"));
    for (count, expected) in [(100, answer(201, "{}")), (101, sent(Protocol))] {
        let mut exchange = written();
        exchange.read(start(), format!("{}{FINAL}", HINTS.repeat(count)).as_bytes());
        assert_eq!(outcome(&mut exchange), Some(expected), "{count}");
    }
    // Nobody asked for another protocol: what follows is none of ours.
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nmore";
    assert_eq!(told(upgrade, false), answer(101, ""));
}

#[test]
fn the_request_goes_on_while_interim_answers_come() {
    let mut exchange = begun();
    exchange.connected(start());
    let length = exchange.to_write().len();
    exchange.wrote(1);
    exchange.read(start(), b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(exchange.to_write().len(), length - 1);
}
