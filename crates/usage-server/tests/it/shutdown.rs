//! Stopping: cleanly, late, and without a word.

use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use usage_server::{Config, Database, Server, ServerError};

use crate::client::{
    Client, PATIENCE, Request, USAGE, get, post, start, start_with, temporary, wait_until,
};

const TARGET: &str = "/api/v1/usage/influxdb";

/// Shuts down on another thread, so that a test that would hang fails.
fn shut_down(server: Server) -> Result<(), ServerError> {
    let (done, result) = channel();
    thread::spawn(move || done.send(server.shutdown()));
    result.recv_timeout(PATIENCE).expect("the server stops")
}

/// Sends a request whose answer is delayed, and returns once its report is stored.
fn in_flight(server: &Server) -> Client {
    let mut client = Client::connect(server);
    client.write(Request::post(TARGET, USAGE).to_bytes());
    wait_until("the request is in flight", || {
        !server.store().usage().read_all().unwrap().is_empty()
    });
    client
}

#[test]
fn a_request_in_flight_is_answered() {
    let server = start();
    server.faults().delay(Duration::from_millis(500));
    let mut client = in_flight(&server);
    let address = server.local_addr();
    shut_down(server).unwrap();
    let answer = client.answer();
    assert_eq!(answer.status, 201);
    client.closed();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn idle_connections_do_not_hold_it_up() {
    let server = start_with(temporary().drain_deadline(Duration::from_secs(3600)));
    let mut unused = Client::connect(&server);
    let mut kept = Client::connect(&server);
    assert_eq!(kept.send(&Request::post(TARGET, USAGE)).status, 201);
    shut_down(server).unwrap();
    kept.closed();
    unused.closed();
}

#[test]
fn the_drain_has_a_deadline() {
    let server = start_with(temporary().drain_deadline(Duration::from_millis(50)));
    server.faults().delay(Duration::from_secs(3600));
    let mut client = in_flight(&server);
    let error = shut_down(server).unwrap_err();
    assert!(matches!(error, ServerError::Unfinished { requests: 1, .. }), "{error}");
    assert!(client.try_answer().is_none());
}

#[test]
fn a_dropped_server_lets_go() {
    let server = start();
    server.faults().delay(Duration::from_secs(3600));
    let mut client = in_flight(&server);
    let address = server.local_addr();
    let (done, dropped) = channel();
    thread::spawn(move || {
        drop(server);
        done.send(())
    });
    dropped.recv_timeout(PATIENCE).expect("the drop returns");
    assert!(client.try_answer().is_none());
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn a_restart_keeps_tokens_and_rows() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("usage.db");
    let config = Config::new(Database::file(&file));

    let server = start_with(config.clone());
    let token = server.create_token("Example Inc.").unwrap();
    let request = Request::post(TARGET, USAGE).token(token.expose());
    assert_eq!(request.send(&server).status, 201);
    shut_down(server).unwrap();
    // The last connection has folded the log into the file.
    assert!(!directory.path().join("usage.db-wal").exists());

    let server = start_with(config);
    assert_eq!(request.send(&server).status, 201);
    let rows = server.store().usage().read_all().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.organisation.as_deref() == Some("Example Inc.")));
}

#[test]
fn a_store_outlives_its_server() {
    let server = start();
    let store = server.store().clone();
    post(&server, TARGET, USAGE);
    shut_down(server).unwrap();
    assert_eq!(store.usage().read_all().unwrap().len(), 1);
    store.create_token("Example Inc.").unwrap();
}

#[test]
fn two_servers_share_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new(Database::file(directory.path().join("usage.db")));
    let (one, two) = (start_with(config.clone()), start_with(config));
    let token = one.create_token("Example Inc.").unwrap();
    for server in [&one, &two, &one] {
        let answer = Request::post(TARGET, USAGE).token(token.expose()).key("same").send(server);
        assert_eq!(answer.status, 201);
    }
    assert_eq!(two.store().usage().read_all().unwrap().len(), 1);
}

#[test]
fn a_taken_address_is_a_typed_error() {
    let server = start();
    let error = Server::bind(server.local_addr(), temporary()).unwrap_err();
    assert!(matches!(error, ServerError::Listen { .. }), "{error}");
    assert!(error.to_string().contains(&server.local_addr().to_string()), "{error}");
    let error = Server::bind("127.0.0.1", temporary()).unwrap_err();
    assert!(matches!(error, ServerError::Address { .. }), "{error}");
    assert_eq!(get(&server, "/healthz").status, 200);
}
