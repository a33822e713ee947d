use super::*;

const CREATED: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

fn is_reusable_after(answer: &[u8]) -> bool {
    let mut exchange = written();
    assert!(!exchange.is_reusable());
    exchange.read(start(), answer);
    exchange.is_reusable()
}

#[test]
fn w42_a_connection_may_be_used_again_where_both_sides_are_done() {
    for answer in [
        CREATED,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 503 X\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert!(is_reusable_after(answer));
    }
    // It is one that has ended already, and the next request goes out on it.
    let mut next = begun();
    next.connected(start());
    assert!(!next.to_write().is_empty());
}

#[test]
fn w42_a_connection_in_doubt_is_not_used_again() {
    let large = format!("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{}", "x".repeat(99999));
    for answer in [
        &b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{"[..],
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}{}",
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: x, Close\r\n\r\n{}",
        b"HTTP/1.0 201 Created\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        // Space is that of ASCII: to whoever says so this is another coding.
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\u{a0}\r\n\r\n0\r\n\r\n".as_bytes(),
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"nonsense",
        large.as_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(100)]);
        assert!(!is_reusable_after(answer), "{shown}");
    }

    // What comes later is not asked for either.
    for late in [&b"x"[..], b""] {
        let mut exchange = written();
        exchange.read(start(), CREATED);
        assert!(exchange.is_reusable());
        exchange.read(start(), late);
        assert!(!exchange.is_reusable());
        assert_eq!(outcome(&mut exchange), Some(answer(201, "{}")));
    }

    let mut closing = request();
    closing.headers_mut().insert("connection", http::HeaderValue::from_static("close"));
    let mut exchange = Exchange::new(&closing, LIMIT, Deadlines::new(), start());
    exchange.connected(start());
    let length = exchange.to_write().len();
    exchange.wrote(length);
    exchange.read(start(), CREATED);
    assert!(!exchange.is_reusable());
}

#[test]
fn an_answer_before_the_request_has_left_counts_and_ends_the_writing() {
    let early = b"HTTP/1.1 413 X\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}";
    for written in [0, 10] {
        let mut exchange = begun();
        exchange.connected(start());
        assert!(!exchange.to_write().is_empty());
        exchange.wrote(written);
        let (head, body) = early.split_at(early.len() - 3);
        exchange.read(start(), head);
        assert!(exchange.to_write().is_empty(), "nothing more is written");
        exchange.read(start(), body);
        assert!(!exchange.is_reusable());
        assert_eq!(outcome(&mut exchange), Some(answer(413, "{\"error\":\"no\"}")));
    }
}
