use super::*;
use TransportErrorKind::Protocol;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn w30_whole_bodies_in_any_framing() {
    for rest in [
        "Content-Length: 2\r\n\r\n{}",
        "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        "Content-Length: 2, 2\r\n\r\n{}",
        "Content-Length: 02\r\n\r\n{}{}{}",
        "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        "transfer-encoding: gzip, Chunked\r\n\r\n2;a=\"b;c\"\r\n{}\r\n000;x\r\n\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n02 \t;a\r\n{}\r\n0\r\nX: x\r\nY:\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n2\r\n{}\r\n0\r\n\r\nmore",
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{rest}");
        assert_eq!(told(&bytes, false), answer(200, "{}"), "{rest:?}");
        assert_eq!(told(&bytes, true), answer(200, "{}"), "{rest:?}");
    }
}

#[test]
fn w46_what_ends_with_the_connection_ends_with_it_alone() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    ] {
        assert_eq!(told(format!("{head}{{}}"), true), answer(200, "{}"), "{head:?}");
        assert_eq!(told(format!("{head}{{}}"), false), broken_off(200, "{}"), "{head:?}");
        let mut exchange = written();
        exchange.read(start(), head.as_bytes());
        exchange.read(start(), b"{}");
        exchange.read_failed(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(outcome(&mut exchange), Some(broken_off(200, "{}")));
    }
}

#[test]
fn some_answers_have_no_body() {
    for status in [204, 304] {
        for rest in ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
            let head = format!("HTTP/1.1 {status} X\r\n{rest}\r\n");
            assert_eq!(told(head, false), answer(status, ""), "{rest:?}");
        }
    }
    assert_eq!(told("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false), answer(200, ""));
}

#[test]
fn w40_a_length_that_is_none_makes_no_answer() {
    for length in [
        "-1",
        "+2",
        "",
        "2x",
        "two",
        "2,",
        "0x2",
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999",
        "2\r\nContent-Length: 3",
        "9223372036854775808, 9223372036854775808",
        "9223372036854775808\r\nContent-Length: 9223372036854775808",
    ] {
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{{}}");
        assert_eq!(told(text, false), sent(Protocol), "{length:?}");
    }
    let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    assert_eq!(told(old, false), sent(Protocol));
}

#[test]
fn w46_a_body_that_breaks_off_is_an_answer() {
    let length = "HTTP/1.1 401 X\r\nContent-Length: 99\r\n\r\n{}".to_owned();
    for closed in [true, false] {
        assert_eq!(told(&length, closed), broken_off(401, "{}"));
        for rest in
            ["5\r\n{}", "2\r\n{}", "2\r\n{}\r\n", "2\r\n{}\r\n0\r\n", "2\r\n{}\r\n0\r\nX: x\r\n"]
        {
            let bytes = format!("{CHUNKED}{rest}");
            assert_eq!(told(bytes, closed), broken_off(200, "{}"), "{rest:?}");
        }
    }
}

#[test]
fn w46_what_is_not_chunked_breaks_off_at_once() {
    for rest in [
        "nonsense\r\n",
        "\r\n",
        "-1\r\n",
        "0x1\r\n",
        " 2\r\n{}",
        "ffffffffffffffffff\r\n",
        "2\n{}\r\n",
        "2\r{}",
        "2 2\r\n{}",
        "2;a\n{}",
        "2;a\r\r\n",
        "0\r\nX: x\n\r\n",
        "0\r\n\n",
        "0\r\n\rX",
    ] {
        let bytes = format!("{CHUNKED}2\r\n{{}}\r\n{rest}");
        assert_eq!(told(&bytes, false), broken_off(200, "{}"), "{rest:?}");
        let mut exchange = written();
        exchange.read(start(), bytes.as_bytes());
        assert!(outcome(&mut exchange).is_some(), "{rest:?} waits for the deadline");
    }
    assert_eq!(told(format!("{CHUNKED}2\r\n{{}}xx5\r\n"), false), broken_off(200, "{}"));
}

#[test]
fn what_a_chunked_body_says_beside_itself_is_bounded() {
    let extra = |length: usize| "x".repeat(length);
    for (fits, length) in [(true, 16 << 10), (false, (16 << 10) + 1)] {
        let length = length - 1; // The semicolon.
        for text in [
            format!("{CHUNKED}2;{}\r\n{{}}\r\n0\r\n\r\n", extra(length)),
            format!("{CHUNKED}2\r\n{{}}\r\n0\r\nX{}\r\n\r\n", extra(length)),
            format!("{CHUNKED}2\r\n{{}}\r\n0{}\r\n\r\n", "0".repeat(length + 1)),
        ] {
            let mut exchange = written();
            exchange.read(start(), text.as_bytes());
            let told = outcome(&mut exchange).unwrap();
            let is_complete = matches!(told, Outcome::Answer { complete: true, .. });
            assert_eq!(is_complete, fits, "{told:?}");
        }
    }
}

#[test]
fn w38_one_byte_above_the_limit_is_kept() {
    let body = "x".repeat(LIMIT + 10);
    for length in [LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 10] {
        let body = &body[..length];
        for text in [
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"),
            format!("{CHUNKED}{length:x}\r\n{body}\r\n0\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
        ] {
            let mut exchange = written();
            text.as_bytes().chunks(1000).for_each(|piece| exchange.read(start(), piece));
            assert_eq!(exchange.wants_read(), length <= LIMIT && text.contains("OK\r\n\r\n"));
            exchange.read(start(), &[]);
            let response = exchange.take_outcome().unwrap().unwrap();
            assert_eq!(response.body().len(), length.min(LIMIT + 1));
            let saved = api().parse_response(response).unwrap();
            assert_eq!(saved.is_complete(), length <= LIMIT);
        }
    }
}
