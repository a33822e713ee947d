//! What is too old goes, and what is not stays.

use std::sync::mpsc::channel;

use usage_server::{Config, Database, Kind, Selection, Server};

use crate::client::{Request, SERVER, STATS, post, start_with, wait_until};
use crate::storage::beside;

const USAGE: &str = "/api/v1/usage/influxdb";

/// Stores one of each kind, and makes all of them look so many days old.
fn age(server: &Server, days: u32) {
    let statement = format!(
        "UPDATE report SET received_at = unixepoch('now', '-{days} days', '-1 minute') * 1000"
    );
    beside(server).execute_batch(&statement).unwrap();
}

fn kinds(server: &Server) -> Vec<&'static str> {
    let kinds = Kind::ALL
        .into_iter()
        .filter(|&kind| server.store().reports(Selection::new().kind(kind)).next().is_some());
    kinds.map(Kind::as_str).collect()
}

/// A database with reports of each kind that are so many days old, in a file.
fn aged(directory: &tempfile::TempDir, days: u32) -> Database {
    let database = Database::file(directory.path().join("usage.db"));
    let server = start_with(Config::new(database.clone()));
    for number in 0..150 {
        let request = Request::post(USAGE, "[]").key(&format!("key{number}"));
        assert_eq!(request.send(&server).status, 201);
    }
    post(&server, "/api/v1/stats/influxdb", STATS);
    post(&server, "/api/v1/servers", SERVER);
    age(&server, days);
    server.shutdown().unwrap();
    database
}

fn pruned(config: Config, retention: &str) -> Server {
    let (events, told) = channel();
    let config = config.on_event(move |event| drop(events.send(event.to_string())));
    let server = start_with(config.retention(retention.parse().unwrap()));
    wait_until("all is pruned", || {
        assert_eq!(told.try_recv().ok(), None);
        server.store().metrics().pruned_at > 0
    });
    server
}

#[test]
fn each_kind_is_kept_for_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let database = aged(&directory, 20);
    let config = || Config::new(database.clone());
    let server = pruned(config(), "usage=21d,stats=21d,servers=21d");
    assert_eq!(kinds(&server), ["server", "stats", "usage"]);
    assert_eq!(server.store().metrics().pruned, 0);
    server.shutdown().unwrap();
    let server = pruned(config(), "usage=20d,stats=19d");
    assert_eq!(kinds(&server), ["server"]);
    assert_eq!(server.store().metrics().pruned, 151);
    assert!(!server.store().metrics().pruning_is_behind);
    // They are older than any key has to be.
    assert_eq!(Request::post(USAGE, "[]").key("key1").send(&server).status, 201);
    assert_eq!(server.store().usage().count(), 1);
}

#[test]
fn a_key_is_known_for_14_days_whatever_becomes_of_its_report() {
    let directory = tempfile::tempdir().unwrap();
    let database = aged(&directory, 13);
    let server = pruned(Config::new(database.clone()), "usage=7d");
    assert_eq!(server.store().usage().count(), 0);
    let again = || Request::post(USAGE, "[]").key("key1").send(&server);
    assert_eq!(again().status, 201);
    let other = Request::post("/api/v1/usage/other", "[]").key("key1").send(&server);
    assert_eq!(other.status, 422, "it belongs to what it was used for");
    assert_eq!(server.store().metrics().repeated, 1);
    assert_eq!(server.store().usage().count(), 0);
    beside(&server)
        .execute_batch("UPDATE left_key SET seen_at = unixepoch('2020-01-01') * 1000")
        .unwrap();
    server.shutdown().unwrap();
    let server = pruned(Config::new(database), "usage=7d");
    assert_eq!(Request::post(USAGE, "[]").key("key1").send(&server).status, 201);
    assert_eq!(server.store().usage().count(), 1);
}

#[test]
fn keys_are_kept_as_long_as_it_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let database = aged(&directory, 20);
    // The report stays, and its key does not.
    let server = pruned(Config::new(database.clone()), "keys=19d");
    assert_eq!(Request::post(USAGE, "[]").key("key149").send(&server).status, 201);
    assert_eq!(server.store().usage().count(), 151);
    // The key stays, and its report does not.
    age(&server, 20);
    server.shutdown().unwrap();
    let server = pruned(Config::new(database), "usage=1d,keys=21d");
    assert_eq!(server.store().usage().count(), 0);
    assert_eq!(Request::post(USAGE, "[]").key("key149").send(&server).status, 201);
    assert_eq!(server.store().usage().count(), 0);
}

/// What is free is given back to the disk.
#[test]
fn a_database_becomes_smaller() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let database = Database::file(&path);
    let server = start_with(Config::new(database.clone()));
    let body = format!(r#"[{{"tags":{{}},"values":{{"a":"{}"}}}}]"#, "x".repeat(900_000));
    for _ in 0..20 {
        assert_eq!(post(&server, USAGE, &body).status, 201);
    }
    age(&server, 20);
    server.shutdown().unwrap();
    let size = || std::fs::metadata(&path).unwrap().len();
    let before = size();
    assert!(before > 18_000_000, "{before}");
    pruned(Config::new(database), "usage=1d").shutdown().unwrap();
    assert!(size() < 6_000_000, "{before} became {}", size());
}

/// One server of a database has the upkeep; the others leave it alone.
#[test]
fn one_server_prunes() {
    let directory = tempfile::tempdir().unwrap();
    let database = aged(&directory, 20);
    let one = pruned(Config::new(database.clone()), "usage=30d");
    let other = start_with(Config::new(database).retention("usage=1d".parse().unwrap()));
    // The lease says so before a slice does.
    let holder = || -> String {
        beside(&one).query_row("SELECT holder FROM upkeep", [], |row| row.get(0)).unwrap()
    };
    let before = holder();
    assert_eq!(post(&other, USAGE, "[]").status, 201);
    assert_eq!(holder(), before);
    assert_eq!(other.store().metrics().pruned_at, 0);
    assert_eq!(one.store().usage().count(), 151);
}
