//! What the operator sees from outside.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use usage_server::{Config, Listener, Listeners, Server};

use crate::client::{
    Client, PATIENCE, Request, SERVER, STATS, USAGE, get, post, start, start_with, temporary,
    wait_until,
};

fn start_with_metrics(config: Config) -> (Server, SocketAddr) {
    let bind = || Listener::bind("127.0.0.1:0").unwrap();
    let server = Server::listen(Listeners::new(bind()).metrics(bind()), config).unwrap();
    let address = server.metrics_address().unwrap().tcp().unwrap();
    (server, address)
}

/// Head and body of an answer, from a connection of its own.
fn ask(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The value of a series, which is a whole number; `None` if it is not there.
fn value(text: &str, series: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.trim_end_matches(".0").parse().unwrap())
}

#[test]
fn requests_are_counted_by_route_and_status_and_refusals_by_reason() {
    let (server, address) = start_with_metrics(temporary());
    for _ in 0..3 {
        assert_eq!(post(&server, "/api/v1/usage/influxdb", USAGE).status, 201);
    }
    assert_eq!(post(&server, "//api/v1/servers", SERVER).status, 201);
    assert_eq!(post(&server, "/api/v1/stats/p", STATS).status, 200);
    let refusals = [
        ("unknown_token", 401, Request::post("/api/v1/usage/p", USAGE).token("no-such-token")),
        ("unknown_route", 404, Request::post("/api/v2/usage/p", USAGE)),
        ("method", 405, Request::new("GET", "/api/v1/usage/p")),
        ("host", 400, Request::new("GET", "/").header("Host", "another")),
        ("browser", 403, Request::post("/api/v1/usage/p", USAGE).header("Origin", "null")),
        ("media_type", 415, Request::new("POST", "/api/v1/usage/p")),
        ("body", 422, Request::post("/api/v1/usage/p", "[")),
        ("field", 422, Request::post("/api/v1/servers", "{}")),
        ("idempotency_key", 422, Request::post("/api/v1/usage/p", USAGE).key("")),
        (
            "too_large",
            413,
            Request::new("POST", "/api/v1/usage/p").header("Content-Length", "9999999"),
        ),
    ];
    for (reason, status, request) in &refusals {
        assert_eq!(request.send(&server).status, *status, "{reason}");
    }
    server.faults().fail(Some("503:1".parse().unwrap()));
    assert_eq!(post(&server, "/api/v1/usage/p", USAGE).status, 503);

    let (head, text) = ask(address, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let count = |series: &str| value(&text, series).unwrap_or_else(|| panic!("{series}:\n{text}"));
    assert_eq!(count(r#"usage_requests_total{route="usage",status="201"}"#), 3);
    assert_eq!(count(r#"usage_requests_total{route="servers",status="201"}"#), 1);
    assert_eq!(count(r#"usage_requests_total{route="stats",status="200"}"#), 1);
    assert_eq!(count(r#"usage_requests_total{route="other",status="404"}"#), 1);
    for (reason, ..) in &refusals {
        assert_eq!(count(&format!(r#"usage_refused_total{{reason="{reason}"}}"#)), 1);
    }
    assert_eq!(count(r#"usage_refused_total{reason="fault"}"#), 1);
    assert_eq!(count("usage_stored_total"), 5);
    let commits = server.store().metrics().commits;
    assert_eq!(count("usage_commits_total"), commits);
    assert_eq!(count("usage_commit_size_sum"), 5);
    assert_eq!(count("usage_commit_duration_seconds_count"), commits);
    assert_eq!(count(r#"usage_request_duration_seconds_count{route="stats"}"#), 1);
    assert_eq!(count("usage_queue_length"), 0);
    assert!(text.contains("\nusage_start_time_seconds 1"), "{text}");
    assert_eq!(count("usage_requests_in_flight"), 0);
    // The same without a listener.
    assert!(server.metrics_text().contains("usage_stored_total 5"));
}

/// Nothing is said of the database before it is known.
#[test]
fn a_server_knows_how_much_there_is_when_it_starts() {
    let server = start();
    let known = || value(&server.metrics_text(), "usage_database_bytes").is_some_and(|it| it > 0);
    wait_until("it has counted", known);
    let text = server.metrics_text();
    assert!(text.contains("# TYPE usage_database_bytes gauge"), "{text}");
    for series in
        ["usage_keep_seconds{", "usage_last_prune", "usage_oldest_report_timestamp_seconds{"]
    {
        assert!(!text.contains(&format!("\n{series}")), "{series}: {text}");
    }
    let keeping = start_with(temporary().retention("stats=30d".parse().unwrap()));
    let text = keeping.metrics_text();
    assert_eq!(value(&text, r#"usage_keep_seconds{kind="stats"}"#), Some(30 * 24 * 60 * 60));
    assert_eq!(value(&text, "usage_pruning_behind"), Some(0));
}

#[test]
fn connections_are_counted_while_they_are_open() {
    let (server, address) =
        start_with_metrics(temporary().connections(8).connections_per_address(2));
    let now = |series: &str| value(&ask(address, "/metrics").1, series).unwrap();
    let mut clients: Vec<_> = (0..2).map(|_| Client::connect(&server)).collect();
    for client in &mut clients {
        assert_eq!(client.send(&Request::post("/api/v1/usage/p", USAGE)).status, 201);
    }
    assert_eq!(now("usage_connections"), 2);
    let mut third = Client::connect(&server);
    assert!(third.try_answer().is_none(), "it has no place");
    wait_until("it is counted", || now("usage_connections_refused_total") == 1);
    assert_eq!(now("usage_connections_accepted_total"), 2);
    drop(clients);
    wait_until("they are closed", || now("usage_connections") == 0);
}

/// Metrics are the operator's: the API does not tell them, and a client's words make no series.
#[test]
fn the_api_has_no_metrics_and_a_path_makes_no_series() {
    let (server, address) = start_with_metrics(temporary());
    assert_eq!(get(&server, "/metrics").status, 404);
    for path in ["/no-such-path-1", "/api/v1/usage/no-such-product", "/no%0Asuch-path"] {
        get(&server, path);
    }
    let (_, text) = ask(address, "/metrics");
    assert!(!text.contains("no-such") && !text.contains("such-path"), "{text}");
    let (head, _) = ask(address, "/api/v1/servers");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
}

#[test]
fn it_is_ready_until_it_stops() {
    let (server, address) = start_with_metrics(temporary().drain_deadline(PATIENCE));
    assert_eq!(get(&server, "/readyz").json(), serde_json::json!({"status": "ok"}));
    assert!(ask(address, "/readyz").0.starts_with("HTTP/1.1 200 OK"));

    // A request in flight keeps it from ending: its head is read, and its body not sent.
    let mut client = Client::connect(&server);
    let request = Request::post("/api/v1/usage/p", USAGE).header("Expect", "100-continue");
    let bytes = request.to_bytes();
    let (head, body) = bytes.split_at(bytes.len() - USAGE.len());
    client.write(head);
    assert_eq!(client.answer().status, 100);
    let stopping = std::thread::spawn(move || server.shutdown());
    wait_until("it says so", || {
        let (head, body) = ask(address, "/readyz");
        head.starts_with("HTTP/1.1 503 ") && body.contains("stopping")
    });
    client.write(body);
    assert_eq!(client.answer().status, 201);
    stopping.join().unwrap().unwrap();
}

/// It is alive all the same: to start it again would not bring the database back.
#[test]
#[cfg(unix)]
fn it_is_not_ready_without_its_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let (server, address) = start_with_metrics(Config::new(usage_server::Database::file(&path)));
    std::fs::rename(&path, directory.path().join("away")).unwrap();
    let answer = get(&server, "/readyz");
    assert_eq!((answer.status, answer.error().as_str()), (503, "the database does not answer"));
    assert_eq!(get(&server, "/healthz").json(), serde_json::json!({"status": "ok"}));
    assert!(ask(address, "/readyz").0.starts_with("HTTP/1.1 503 "));
}

#[test]
fn a_server_without_a_listener_for_metrics_says_so() {
    let server = start();
    assert_eq!(server.metrics_address(), None);
    assert_eq!(server.addresses().len(), 1);
}
