//! The routes, and what is no route.

use crate::client::{Client, Request, SERVER, STATS, USAGE, get, post, start};

#[test]
fn a_server_is_created() {
    let server = start();
    let answer = post(&server, "/api/v1/servers", SERVER);
    assert_eq!((answer.status, answer.body.as_str()), (201, "{}"));
    assert_eq!(answer.header("content-type"), Some("application/json"));

    let rows = server.store().servers().read_all().unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(serde_json::to_string(&row.report).unwrap(), SERVER);
    assert_eq!(row.organisation, None);
}

#[test]
fn stats_are_taken() {
    let server = start();
    let answer = post(&server, "/api/v1/stats/influxdb", STATS);
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));

    let rows = server.store().stats().read_all().unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row.report.product, "influxdb");
    assert_eq!(serde_json::to_string(&row.report).unwrap(), STATS);
}

#[test]
fn usage_is_created() {
    let server = start();
    let answer = post(&server, "/api/v1/usage/influxdb", USAGE);
    assert_eq!((answer.status, answer.body.as_str()), (201, "{}"));

    let rows = server.store().usage().read_all().unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row.report.product, "influxdb");
    assert_eq!(serde_json::to_string(&row.report).unwrap(), USAGE);
}

#[test]
fn the_time_of_receipt_is_rfc_3339_in_utc() {
    let server = start();
    post(&server, "/api/v1/usage/influxdb", USAGE);
    let time = server.store().usage().read_all().unwrap()[0].received_at.clone();
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{time}");
}

/// W1: a product is one percent-encoded segment.
#[test]
fn a_product_is_decoded() {
    let server = start();
    assert_eq!(post(&server, "/api/v1/usage/a%2Fb%20%C3%A9", USAGE).status, 201);
    assert_eq!(server.store().usage().read_all().unwrap()[0].report.product, "a/b é");
}

#[test]
fn a_product_that_is_not_utf_8_is_not_found() {
    let server = start();
    let answer = post(&server, "/api/v1/usage/%FF", USAGE);
    assert_eq!(answer.status, 404);
    assert!(answer.error().contains("%FF"), "{}", answer.error());
}

#[test]
fn health_answers_for_the_database() {
    let server = start();
    let answer = get(&server, "/healthz");
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"status":"ok"}"#));
    // It stores nothing.
    assert_eq!(server.store().metrics().commits, 0);
}

#[test]
fn anything_else_is_not_found() {
    let server = start();
    for target in ["/", "/api/v1/server", "/api/v1/servers/", "/api/v1/usage/", "/api/v1/usage/a/b"]
    {
        let answer = post(&server, target, USAGE);
        assert_eq!(answer.status, 404, "{target}");
        assert!(answer.error().contains("/api/v1/usage/{product}"), "{}", answer.error());
    }
    assert_eq!(get(&server, "/nothing").status, 404);
}

#[test]
fn a_wrong_method_is_told_the_right_one() {
    let server = start();
    for (method, target, allow) in [
        ("GET", "/api/v1/servers", "POST"),
        ("PUT", "/api/v1/stats/influxdb", "POST"),
        ("DELETE", "/api/v1/usage/influxdb", "POST"),
        ("POST", "/healthz", "GET,HEAD"),
    ] {
        let answer = Request::new(method, target).send(&server);
        assert_eq!(answer.status, 405, "{method} {target}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {target}");
        assert!(!answer.error().is_empty());
    }
}

#[test]
fn a_connection_serves_many_requests() {
    let server = start();
    let mut client = Client::connect(&server);
    // Refusals do not close it either.
    for (target, body, status) in [
        ("/api/v1/servers", SERVER, 201),
        ("/api/v1/servers", "{}", 422),
        ("/nothing", USAGE, 404),
        ("/api/v1/usage/influxdb", USAGE, 201),
        ("/api/v1/stats/influxdb", STATS, 200),
    ] {
        let answer = client.send(&Request::post(target, body));
        assert_eq!(answer.status, status, "{target} {body}");
        assert_eq!(answer.header("connection"), None);
    }
}

#[test]
fn a_chunked_body_is_taken() {
    let server = start();
    let mut client = Client::connect(&server);
    let (first, second) = USAGE.split_at(10);
    client.write(format!(
        "POST /api/v1/usage/influxdb HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/json\r\n\r\n\
         {:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    ));
    assert_eq!(client.answer().status, 201);
}

/// The HTTP library answers what is no request before anything here sees it.
#[test]
fn what_is_not_http_gets_a_status_and_no_body() {
    let server = start();
    let long = "x".repeat(65_535);
    for (head, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("GET /{long} HTTP/1.1\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nX-Long: {long}\r\n"), 431),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)), 431),
    ] {
        let mut client = Client::connect(&server);
        client.write(head);
        let answer = client.answer();
        assert_eq!((answer.status, answer.body.as_str()), (status, ""));
        client.closed();
    }
}
