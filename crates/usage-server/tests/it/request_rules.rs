//! What is looked at before a report is: who may post, and in which form.

use usage_server::Server;

use crate::client::{Client, Request, SERVER, STATS, USAGE, get, start};

const ROUTES: [(&str, &str, u16); 3] = [
    ("/api/v1/servers", SERVER, 201),
    ("/api/v1/stats/influxdb", STATS, 200),
    ("/api/v1/usage/influxdb", USAGE, 201),
];

fn stored(server: &Server) -> usize {
    let store = server.store();
    store.servers().read_all().unwrap().len()
        + store.stats().read_all().unwrap().len()
        + store.usage().read_all().unwrap().len()
}

/// A post with these headers alone, to each route on one connection.
#[track_caller]
fn refused(headers: &[&str], status: u16, words: &str) {
    let server = start();
    let mut client = Client::connect(&server);
    for (target, body, _) in ROUTES {
        client.write(raw(target, headers, body));
        let answer = client.answer();
        assert_eq!(answer.status, status, "{headers:?}");
        assert!(answer.error().contains(words), "{headers:?}: {}", answer.error());
        assert_eq!(answer.header("connection"), None, "{headers:?}");
        let is_coding = headers.iter().any(|header| header.starts_with("Content-Encoding"));
        let accepted = is_coding.then_some("identity");
        assert_eq!(answer.header("accept-encoding"), accepted, "{headers:?}");
    }
    assert_eq!(stored(&server), 0, "{headers:?}");
}

#[track_caller]
fn taken(headers: &[&str]) {
    let server = start();
    for (target, body, status) in ROUTES {
        let mut client = Client::connect(&server);
        client.write(raw(target, headers, body));
        assert_eq!(client.answer().status, status, "{headers:?}");
    }
    assert_eq!(stored(&server), 3, "{headers:?}");
}

fn raw(target: &str, headers: &[&str], body: &str) -> String {
    let line = format!("POST {target} HTTP/1.1");
    let length = format!("Content-Length: {}", body.len());
    let lines = [&[line.as_str()], headers, &[&length, "", body]];
    lines.concat().join("\r\n")
}

const HOST: &str = "Host: localhost";
const JSON: &str = "Content-Type: application/json";

/// Browsers put an `Origin` on every post, that of a page whose name leads here by now as well.
#[test]
fn w50_a_web_page_reports_nothing() {
    for header in [
        "Origin: https://evil.example",
        "Origin: null",
        "Origin: http://localhost",
        "origin:",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Site: none",
    ] {
        let name = if header.starts_with("Sec") { "Sec-Fetch-Site" } else { "Origin" };
        refused(&[HOST, JSON, header], 403, name);
        // What a page can send without asking first.
        refused(&[HOST, "Content-Type: text/plain", header], 403, name);
    }
    // To look whether it is there does no harm.
    let server = start();
    let request = Request::new("GET", "/healthz").header("Origin", "https://console.example");
    assert_eq!(request.send(&server).status, 200);
    // Nobody who asks for leave gets it.
    let request = Request::new("OPTIONS", ROUTES[2].0)
        .header("Origin", "https://evil.example")
        .header("Access-Control-Request-Method", "POST");
    let answer = request.send(&server);
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn w51_a_report_is_json_by_its_own_word() {
    for header in [
        "Content-Type: application/json",
        "content-type: APPLICATION/JSON ; charset=utf-8",
        "Content-Type:application/json;charset=\"utf-8\"",
    ] {
        taken(&[HOST, header]);
    }
    for (header, words) in [
        ("X: y", "says nothing"),
        ("Content-Type:", "application/json"),
        ("Content-Type: text/plain", "text/plain"),
        ("Content-Type: application/x-www-form-urlencoded", "x-www-form-urlencoded"),
        ("Content-Type: multipart/form-data; boundary=x", "multipart/form-data"),
        ("Content-Type: text/json", "text/json"),
        ("Content-Type: application/jsonp", "application/jsonp"),
        ("Content-Type: text/plain; application/json", "text/plain"),
        ("Content-Type: text/plain, application/json", "text/plain"),
        ("Content-Type: application/json\r\nContent-Type: text/plain", "text/plain"),
        ("Content-Type: caf\u{e9}", "caf??"),
    ] {
        refused(&[HOST, header], 415, words);
    }
    let long = format!("Content-Type: {}", "x".repeat(10_000));
    refused(&[HOST, &long], 415, &"x".repeat(64));
}

/// A client that compresses hears why it is not understood.
#[test]
fn w52_a_coded_body_is_named() {
    for coding in ["gzip", "deflate", "br", "zstd", "GZIP", "gzip, identity", "x-unknown"] {
        refused(&[HOST, JSON, &format!("Content-Encoding: {coding}")], 415, coding);
    }
    refused(&[HOST, JSON, "Content-Encoding: identity\r\nContent-Encoding: gzip"], 415, "gzip");
    for coding in ["identity", "Identity", ""] {
        taken(&[HOST, JSON, &format!("Content-Encoding: {coding}")]);
    }
}

/// Proxies and servers that read different hosts in it would act for each other.
#[test]
fn w53_http_1_1_needs_exactly_one_host() {
    let server = start();
    for headers in [
        &[][..],
        &["Host: a", "Host: b"],
        &["Host: a", "Host: a"],
        &["Host: a, b"],
        &["Host: user@a"],
        &["Host: a/b"],
    ] {
        for (target, body, _) in ROUTES.into_iter().chain([("/nothing", "", 0), ("//", "{}", 0)]) {
            let mut client = Client::connect(&server);
            client.write(raw(target, &[headers, &[JSON]].concat(), body));
            let answer = client.answer();
            assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
            assert!(answer.error().contains("Host"), "{}", answer.error());
            client.closed();
        }
    }
    assert_eq!(stored(&server), 0);
    // Any name is taken, and none by an older protocol.
    for host in ["usage.example.com", "usage.example.com:8443", "[2001:db8::1]:80", ""] {
        taken(&[&format!("Host: {host}"), JSON]);
    }
    let mut client = Client::connect(&server);
    client.write("GET /healthz HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().status, 200);
}

/// W2: what deployed Go clients send for a base URL with a slash at its end.
#[test]
fn w54_empty_segments_are_passed_over() {
    for prefix in ["/", "//", "////"] {
        let (logged, lines) = std::sync::mpsc::channel();
        let config = crate::client::temporary().on_request(move |request| {
            drop(logged.send(request.path.clone()));
        });
        let server = crate::client::start_with(config);
        let token = server.create_token("Example Inc.").unwrap();
        for (target, body, status) in ROUTES {
            let target = format!("{prefix}{target}");
            let request = Request::post(&format!("{target}?token={}", token.expose()), body);
            assert_eq!(request.send(&server).status, status, "{target}");
            // The log says what was sent.
            assert_eq!(lines.recv_timeout(crate::client::PATIENCE).unwrap(), target);
        }
        assert_eq!(stored(&server), 3);
        let rows = server.store().usage().read_all().unwrap();
        assert_eq!(rows[0].organisation.as_deref(), Some("Example Inc."));
        assert_eq!(rows[0].report.product, "influxdb");
        assert_eq!(get(&server, &format!("{prefix}/healthz")).status, 200);
    }
    let server = start();
    assert_eq!(Request::post("/api//v1//usage/p", USAGE).send(&server).status, 201);
    // A product that is missing, or has a slash in front, is another mistake.
    for target in ["//api/v1/usage/", "//api/v1/usage//p", "//api/v1/servers/"] {
        assert_eq!(Request::post(target, USAGE).send(&server).status, 404, "{target}");
    }
}
