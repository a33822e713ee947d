//! What somebody else has put where the database is to be: it is refused, and left as it is.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use usage_server::{Database, Store, StoreError};

/// A database of this crate, with a token in it that nobody knows of.
fn database(path: &Path) {
    Store::open(&Database::file(path)).unwrap().create_token("Mallory").unwrap();
}

#[test]
fn a_database_that_was_changed_is_refused() {
    for (change, found) in [
        ("CREATE TABLE song (title TEXT)", "a foreign table \"song\""),
        ("CREATE VIEW v AS SELECT 1", "a foreign view \"v\""),
        (
            "CREATE TRIGGER t AFTER INSERT ON report BEGIN DELETE FROM report; END",
            "a foreign trigger \"t\"",
        ),
        ("CREATE INDEX i ON report (abs(id))", "a foreign index \"i\""),
        ("DROP INDEX report_time", "no index \"report_time\""),
        ("ALTER TABLE product ADD COLUMN more TEXT", "another table \"product\""),
        ("ALTER TABLE tally RENAME TO statistics", "a foreign table \"statistics\""),
        ("CREATE TABLE \"two\nlines\" (a)", "a foreign table \"two\\nlines\""),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usage.db");
        database(&path);
        Connection::open(&path).unwrap().execute_batch(change).unwrap();
        let before = fs::read(&path).unwrap();
        let error = Store::open(&Database::file(&path)).unwrap_err();
        assert!(matches!(error, StoreError::Altered { .. }), "{change}: {error:?}");
        let message = error.to_string();
        assert!(message.contains(found) && message.contains("usage.db"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), before, "{change}");
    }
}

/// The marks of a database of this crate alone are not enough.
#[test]
fn a_database_that_only_looks_like_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    database(&path);
    let fake = directory.path().join("fake.db");
    let marks = |name| -> i64 {
        let connection = Connection::open(&path).unwrap();
        connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    };
    for version in [0, 1, marks("user_version")] {
        let connection = Connection::open(&fake).unwrap();
        connection.pragma_update(None, "application_id", marks("application_id")).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        connection.execute_batch("CREATE TABLE IF NOT EXISTS token (hash, organisation)").unwrap();
        drop(connection);
        let error = Store::open(&Database::file(&fake)).unwrap_err();
        assert!(matches!(error, StoreError::Altered { .. }), "{version}: {error:?}");
    }
}

/// What `SQLite` keeps for itself is nobody's change.
#[test]
fn statistics_of_sqlite_are_no_change() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    database(&path);
    Connection::open(&path).unwrap().execute_batch("ANALYZE").unwrap();
    Store::open(&Database::file(&path)).unwrap();
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::mpsc::channel;
    use std::thread;

    use tempfile::TempDir;
    use usage_server::{Config, Database, Risk, Server, Store, StoreError};

    use crate::client::PATIENCE;

    fn place() -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usage.db");
        (directory, path)
    }

    /// On a thread, since it must not wait for anything.
    fn open(database: &Database) -> Result<Store, StoreError> {
        let (done, result) = channel();
        let database = database.clone();
        thread::spawn(move || done.send(Store::open(&database)));
        result.recv_timeout(PATIENCE).expect("it does not wait")
    }

    /// The error, whose words say which file it is about.
    #[track_caller]
    fn refused(path: &Path, about: &Path) -> Option<Risk> {
        let error = open(&Database::file(path)).unwrap_err();
        assert!(matches!(error, StoreError::File(_)), "{error:?}");
        let StoreError::File(file) = &error else { return None };
        assert_eq!(file.path().file_name(), about.file_name());
        assert!(error.to_string().contains(about.to_str().unwrap()), "{error}");
        file.risk()
    }

    /// The database and the three that `SQLite` would read beside it.
    const NAMES: [&str; 4] = ["usage.db", "usage.db-journal", "usage.db-wal", "usage.db-shm"];

    #[test]
    fn links_and_pipes_are_refused() {
        for name in NAMES {
            let (directory, path) = place();
            let planted = directory.path().join(name);
            let elsewhere = directory.path().join("elsewhere");
            symlink(&elsewhere, &planted).unwrap();
            assert_eq!(refused(&path, &planted), Some(Risk::Link));
            assert!(!elsewhere.exists());
            fs::write(&elsewhere, "precious").unwrap();
            assert_eq!(refused(&path, &planted), Some(Risk::Link));
            assert_eq!(fs::read(&elsewhere).unwrap(), b"precious");

            fs::remove_file(&planted).unwrap();
            assert!(Command::new("mkfifo").arg(&planted).status().unwrap().success());
            assert_eq!(refused(&path, &planted), None);
            fs::remove_file(&planted).unwrap();
            fs::create_dir(&planted).unwrap();
            assert_eq!(refused(&path, &planted), None);
            fs::remove_dir(&planted).unwrap();
            open(&Database::file(&path)).unwrap();
        }
    }

    #[test]
    fn what_others_may_write_is_refused() {
        for name in NAMES {
            let (directory, path) = place();
            let planted = directory.path().join(name);
            fs::write(&planted, "").unwrap();
            fs::set_permissions(&planted, Permissions::from_mode(0o666)).unwrap();
            assert_eq!(refused(&path, &planted), Some(Risk::WritableByOthers));
            open(&Database::file(&path).accept(Risk::WritableByOthers)).unwrap();
        }
    }

    /// Foreign tokens and all, as long as nobody says that it is meant.
    #[test]
    fn a_database_of_another_user_is_refused() {
        let (_directory, mut path) = place();
        super::database(&path);
        let is_root = fs::metadata(&path).unwrap().uid() == 0;
        if is_root {
            chown(&path, Some(54321), None).unwrap();
        } else {
            // Whoever runs this: that one is root's.
            path = "/etc/passwd".into();
        }
        assert_eq!(refused(&path, &path), Some(Risk::OtherOwner));
        if is_root {
            let database = Database::file(&path).accept(Risk::OtherOwner);
            let server = Server::bind("127.0.0.1:0", Config::new(database)).unwrap();
            server.create_token("Example Inc.").unwrap();
        }
    }

    #[test]
    fn a_link_that_is_accepted_leads_to_the_database() {
        let (directory, path) = place();
        fs::create_dir(directory.path().join("volume")).unwrap();
        symlink("volume/usage.db", &path).unwrap();
        let store = open(&Database::file(&path).accept(Risk::Link)).unwrap();
        store.create_token("Example Inc.").unwrap();
        // SQLite puts its files beside the real one.
        assert!(directory.path().join("volume/usage.db-wal").exists());
        assert_eq!(store.path(), directory.path().canonicalize().unwrap().join("volume/usage.db"));
    }
}
