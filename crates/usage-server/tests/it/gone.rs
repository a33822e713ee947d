//! A database that is removed or replaced while it is open: nothing is acknowledged that is lost.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;
use usage_server::{Config, Database, Server, ServerEvent, Store, StoreError};

use crate::client::{PATIENCE, Request, USAGE, get, post, start_with};

const TARGET: &str = "/api/v1/usage/influxdb";

fn start() -> (TempDir, Server, Receiver<ServerEvent>) {
    let directory = tempfile::tempdir().unwrap();
    let (events, told) = channel();
    let database = Database::file(directory.path().join("data/usage.db"));
    fs::create_dir(directory.path().join("data")).unwrap();
    let config = Config::new(database).on_event(move |event| drop(events.send(event.clone())));
    (directory, start_with(config), told)
}

/// Nothing is taken, and whoever watches the server or its log hears of it.
#[track_caller]
fn is_refused(server: &Server, told: &Receiver<ServerEvent>, about: &Path) {
    for _ in 0..2 {
        let answer = post(server, TARGET, USAGE);
        assert_eq!(answer.status, 500);
        assert!(answer.error().contains("again later"), "{}", answer.error());
    }
    assert_eq!(get(server, "/readyz").status, 503);
    let error = server.create_token("Example Inc.").unwrap_err();
    assert!(matches!(error, StoreError::Gone { .. }), "{error:?}");
    let event = told.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(event, ServerEvent::DatabaseGone(StoreError::Gone { .. })), "{event:?}");
    assert!(event.to_string().contains(about.to_str().unwrap()), "{event}");
    assert!(told.try_recv().is_err(), "it is told once");
}

#[test]
fn what_is_written_into_a_file_without_a_name_is_not_acknowledged() {
    for name in ["data/usage.db", "data/usage.db-wal", "data/usage.db-shm", "data"] {
        let (directory, server, told) = start();
        assert_eq!(post(&server, TARGET, USAGE).status, 201);
        let (here, away) = (directory.path().join(name), directory.path().join("away"));
        fs::rename(&here, &away).unwrap();
        is_refused(&server, &told, &here);

        fs::rename(&away, &here).unwrap();
        assert_eq!(post(&server, TARGET, USAGE).status, 201);
        assert_eq!(get(&server, "/readyz").status, 200);
        let event = told.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(event, ServerEvent::DatabaseBack { .. }), "{event:?}");

        fs::remove_dir_all(directory.path().join("data")).unwrap();
        assert_eq!(post(&server, TARGET, USAGE).status, 500);
    }
}

/// What a connection still reads that is open already is no answer either.
#[test]
fn nothing_is_read_of_a_database_that_is_gone() {
    let (directory, server, _told) = start();
    let unknown = Request::post(TARGET, USAGE).token("no-such-token");
    assert_eq!(unknown.send(&server).status, 401);
    assert_eq!(server.store().tokens().unwrap(), []);
    fs::rename(directory.path().join("data"), directory.path().join("away")).unwrap();
    assert_eq!(unknown.send(&server).status, 500);
    let error = server.store().tokens().unwrap_err();
    assert!(matches!(error, StoreError::Gone { .. } | StoreError::Open { .. }), "{error:?}");
}

/// Another database under the same name is not the one that is open, whose tokens count.
#[test]
fn a_database_that_was_exchanged_is_not_taken() {
    let (directory, server, told) = start();
    let token = server.create_token("Example Inc.").unwrap();
    let data = directory.path().join("data");
    fs::rename(&data, directory.path().join("away")).unwrap();
    fs::create_dir(&data).unwrap();
    let other = Store::open(&Database::file(data.join("usage.db"))).unwrap();
    let planted = other.create_token("Mallory").unwrap();

    for token in [&planted, &token] {
        let answer = Request::post(TARGET, USAGE).token(token.expose()).send(&server);
        assert!(matches!(answer.status, 401 | 500), "{answer:?}");
    }
    is_refused(&server, &told, &data.join("usage.db"));
    assert!(other.usage().read_all().unwrap().is_empty());
    assert!(matches!(server.store().usage().read_all(), Ok(_) | Err(StoreError::Gone { .. })));
}
