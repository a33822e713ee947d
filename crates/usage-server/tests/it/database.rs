//! Which files are taken for a database, and which are left alone.

use std::fs;
use std::io::Write;

use rusqlite::Connection;
use usage_server::{Database, Server, ServerError, Store, StoreError};

use crate::client::temporary;

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    let notes = "These are my notes, and they are precious. ".repeat(100);
    // Its owner's alone, whatever the umask of whoever runs this.
    usage_files::create_new(&path).unwrap().write_all(notes.as_bytes()).unwrap();
    let error = Store::open(&Database::file(&path)).unwrap_err();
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), notes);
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("music.db");
    let music = Connection::open(&path).unwrap();
    music.execute_batch("CREATE TABLE song (title TEXT)").unwrap();
    drop(music);
    let before = fs::read(&path).unwrap();
    let error = Store::open(&Database::file(&path)).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
    assert!(error.to_string().contains("music.db"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    drop(Store::open(&Database::file(&path)).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&Database::file(&path)).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("usage.db"), "{error}");
}

#[test]
fn a_place_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing/usage.db");
    let error = Store::open(&Database::file(&missing)).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    let error = Store::open(&Database::file(directory.path())).unwrap_err();
    assert!(matches!(error, StoreError::File(_)), "{error:?}");
    assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    assert!(matches!(Store::open(&Database::file("")), Err(StoreError::Open { .. })));
}

/// Whoever prints an error and its sources says nothing twice.
#[test]
fn an_error_says_once_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing/usage.db");
    let error = Store::open(&Database::file(&missing)).unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.source().is_none(), "{source:?}");
    assert!(!source.to_string().contains(missing.to_str().unwrap()), "{source}");
    let error = Store::open(&Database::file(directory.path())).unwrap_err();
    assert!(std::error::Error::source(&error).is_none(), "{error:?}");
}

/// Customers' names and reports are for the owner of the server alone.
#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let store = Store::open(&Database::file(&path)).unwrap();
    store.create_token("Example Inc.").unwrap();
    for end in ["", "-wal", "-shm"] {
        let file = format!("{}{end}", path.display());
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[cfg(unix)]
#[test]
fn the_mode_of_a_file_that_is_there_is_its_owners_choice() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    drop(Store::open(&Database::file(&path)).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

/// `SQLite` has names of its own for databases that are no files.
#[test]
fn a_path_is_a_path() {
    let directory = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:usage.db?mode=memory"] {
        let path = directory.path().join(name);
        let store = Store::open(&Database::file(&path)).unwrap();
        store.create_token("Example Inc.").unwrap();
        assert!(path.exists());
    }
}

#[test]
fn a_server_does_not_start_without_its_database() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::file(directory.path().join("missing/usage.db"));
    let error = Server::bind("127.0.0.1:0", usage_server::Config::new(database)).unwrap_err();
    assert!(matches!(error, ServerError::Store(StoreError::Open { .. })), "{error:?}");
}

#[test]
fn a_temporary_database_is_gone_with_its_last_handle() {
    let server = crate::client::start_with(temporary());
    let store = server.store().clone();
    let path = store.path().to_owned();
    server.shutdown().unwrap();
    assert!(path.exists());
    drop(store);
    assert!(!path.exists());
    assert!(!path.parent().unwrap().exists());
}

/// What is stored can be read with any `SQLite` shell.
#[test]
fn tables_say_what_was_sent() {
    let server = crate::client::start();
    crate::client::post(&server, "/api/v1/usage/influxdb", crate::client::USAGE);
    let row: (i64, Option<i64>, String, String) = Connection::open(server.store().path())
        .unwrap()
        .query_row(
            "SELECT kind, token_id, name, data FROM report JOIN product ON product.id = product_id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    let sent = crate::client::USAGE.to_owned();
    assert_eq!(row, (3, None, "influxdb".to_owned(), sent));
}

/// Who looks into a database that is not there has misspelt its name.
#[test]
fn a_database_that_has_to_be_there_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let error = Store::open_existing(&Database::file(&path)).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
    assert!(!path.exists());
    drop(Store::open(&Database::file(&path)).unwrap());
    Store::open_existing(&Database::file(&path)).unwrap();
}
