use super::*;
use http::{HeaderValue, Method};

fn bytes_of(request: &Request<Bytes>) -> Vec<u8> {
    let mut exchange = Exchange::new(request, LIMIT, Deadlines::new(), start());
    exchange.connected(start());
    exchange.to_write().to_vec()
}

#[test]
fn w13_the_request_leaves_as_it_is_with_its_host_and_length() {
    let request = request();
    let agent = request.headers()["user-agent"].to_str().unwrap();
    let expected = format!(
        "POST /prefix/api/v1/usage/influxdb HTTP/1.1\r\nhost: usage.example.com:8086\r\n\
         content-length: 2\r\ncontent-type: application/json\r\naccept-encoding: identity\r\n\
         user-agent: {agent}\r\n\r\n[]"
    );
    assert_eq!(String::from_utf8(bytes_of(&request)).unwrap(), expected);
}

#[test]
fn it_is_written_in_any_pieces() {
    let whole = bytes_of(&request());
    for size in 1..whole.len() {
        let mut exchange = begun();
        assert!(exchange.to_write().is_empty(), "not connected");
        exchange.connected(start());
        let mut left = Vec::new();
        while !exchange.to_write().is_empty() {
            let piece = exchange.to_write();
            let piece = piece[..piece.len().min(size)].to_vec();
            exchange.wrote(piece.len());
            left.extend(piece);
        }
        assert_eq!(left, whole);
    }
}

#[test]
fn what_a_request_of_ones_own_says_is_kept_but_for_its_framing() {
    let mut request = request();
    *request.method_mut() = Method::GET;
    *request.uri_mut() = "http://user:secret@[::1]?a=b".parse().unwrap();
    request.headers_mut().clear();
    for (name, value) in
        [("content-length", "99"), ("transfer-encoding", "chunked"), ("x", "1"), ("x", "\u{fc}")]
    {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(name, value);
    }
    let expected =
        "GET /?a=b HTTP/1.1\r\nhost: [::1]\r\ncontent-length: 2\r\nx: 1\r\nx: \u{fc}\r\n\r\n[]";
    assert_eq!(String::from_utf8(bytes_of(&request)).unwrap(), expected);

    request.headers_mut().insert("host", HeaderValue::from_static("other"));
    let bytes = String::from_utf8(bytes_of(&request)).unwrap();
    assert_eq!(bytes.matches("host: ").count(), 1, "{bytes}");
    assert!(bytes.contains("host: other\r\n"));

    // Neither a path nor a host.
    *request.uri_mut() = "/".parse().unwrap();
    request.headers_mut().clear();
    let bytes = bytes_of(&request);
    assert!(bytes.starts_with(b"GET / HTTP/1.1\r\nhost: \r\n"));
}

#[test]
fn w6_nothing_of_the_request_is_in_debug() {
    let mut request = request();
    request.headers_mut().insert("x-authorization", HeaderValue::from_static("a-secret-token"));
    let mut exchange = Exchange::new(&request, LIMIT, Deadlines::new(), start());
    exchange.connected(start());
    assert!(exchange.to_write().windows(14).any(|bytes| bytes == b"a-secret-token"));
    exchange.read(start(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsecret");
    let shown = format!("{exchange:?} {exchange:#?}");
    assert!(!shown.contains("secret") && shown.contains("body"), "{shown}");
}

#[test]
fn an_answer_to_a_head_has_no_body() {
    let mut request = request();
    *request.method_mut() = Method::HEAD;
    let mut exchange = Exchange::new(&request, LIMIT, Deadlines::new(), start());
    exchange.connected(start());
    let length = exchange.to_write().len();
    exchange.wrote(length);
    exchange.read(start(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    assert_eq!(outcome(&mut exchange), Some(answer(200, "")));
    assert!(exchange.is_reusable());
}
