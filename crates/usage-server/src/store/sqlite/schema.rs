//! The tables, and which files are taken for a database of this crate.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::database_files::DatabaseFiles;
use super::said::said;
use super::{migrations, sql};
use crate::store::error::StoreError;

/// After how many pages of the log the one that writes has to write it into the database, and reports
/// wait for that: 64 MiB. As a rule the thread of [`Checkpoints`](super::checkpoints::Checkpoints) was
/// there long before.
const CHECKPOINT: i64 = 16_384;

/// `PRAGMA auto_vacuum`: what is freed can be given back, page by page. It is chosen when the file is
/// made, and costs a rebuild of the file later.
const INCREMENTAL: i64 = 2;

/// Marks a file as a database of this crate (`PRAGMA application_id`): `UsgA` in ASCII.
const APPLICATION_ID: i64 = 0x5573_6741;

/// How long a statement waits for another process that holds the database's lock.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Opens the one connection that writes, creates the tables or brings them up to date.
pub(super) fn open_writer(files: &DatabaseFiles) -> Result<Connection, StoreError> {
    let path = files.path();
    let failed = |error| open_error(path, &error);
    let mut connection = connect(path).map_err(failed)?;
    // A file that is someone else's must not change by a byte, and switching to WAL changes it.
    if check(path, &connection)? == 0 {
        // Before anything is written to the file.
        connection.pragma_update(None, "auto_vacuum", INCREMENTAL).map_err(failed)?;
    }
    connection.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
    // An answer promises that its report survives a power cut.
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    // Each report would cost a temporary table, to look its kind up in. It is one of three by its type;
    // the condition is for other programs.
    connection.pragma_update(None, "ignore_check_constraints", true).map_err(failed)?;
    // What is erased is overwritten.
    connection.pragma_update(None, "secure_delete", true).map_err(failed)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT).map_err(failed)?;
    migrate(path, &mut connection)?;
    make_shrinkable(&connection).map_err(failed)?;
    files.are_open()?;
    Ok(connection)
}

/// Opens a connection that writes nothing but the log into the database.
pub(super) fn open_checkpoints(files: &DatabaseFiles) -> Result<Connection, StoreError> {
    let path = files.path();
    let failed = |error| open_error(path, &error);
    let connection = connect(path).map_err(failed)?;
    // What is in the database by then may be overwritten in the log.
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    // It has no lock before its first look at the file, and the last connection to close would take the
    // log away from under it.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
    files.are_there()?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(files: &DatabaseFiles) -> Result<Connection, StoreError> {
    let path = files.path();
    let failed = |error| open_error(path, &error);
    // A reader of a WAL database writes to the shared index beside it, hence not READ_ONLY.
    let connection = connect(path).map_err(failed)?;
    connection.pragma_update(None, "query_only", true).map_err(failed)?;
    // Another file may have the name by now, with tokens of its own.
    files.are_there()?;
    Ok(connection)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Without NO_MUTEX SQLite would lock around each call, though a connection has one owner here.
    // Without the URI flag a path such as `file:x` is a path. It was made before, and no link leads
    // to it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    // What the file says is data: nothing in it is run, and no statement can write around the
    // tables. There are no triggers and no views here.
    for (config, value) in [
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(config, value)?;
    }
    connection.busy_timeout(LOCK_WAIT)?;
    Ok(connection)
}

/// Returns the version of the schema, 0 for an empty file.
fn check(path: &Path, connection: &Connection) -> Result<usize, StoreError> {
    let failed = |error| open_error(path, &error);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = pragma("application_id").map_err(failed)?;
    let version = pragma("user_version").map_err(failed)?;
    let empty: bool = connection
        .query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(failed)?;
    if application != APPLICATION_ID && !(application == 0 && version == 0 && empty) {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    match usize::try_from(version) {
        Ok(version) if version <= migrations::NEWEST => {
            compare(path, connection, version)?;
            Ok(version)
        }
        _ => Err(StoreError::Newer { path: path.to_owned(), found: version, supported: newest() }),
    }
}

/// Refuses a database that is not what the migrations make: something was put into it.
fn compare(path: &Path, connection: &Connection, version: usize) -> Result<(), StoreError> {
    let failed = |error| open_error(path, &error);
    let made = migrations::made(version).map_err(failed)?;
    let ours = objects(&made).map_err(failed)?;
    let theirs = objects(connection).map_err(failed)?;
    let difference = theirs
        .iter()
        .find(|(name, sql)| ours.get(*name) != Some(*sql))
        .map(|(name, _)| (name, if ours.contains_key(name) { "another" } else { "a foreign" }))
        .or_else(|| ours.keys().find(|name| !theirs.contains_key(*name)).map(|name| (name, "no")));
    match difference {
        None => Ok(()),
        Some(((kind, name), which)) => Err(StoreError::Altered {
            path: path.to_owned(),
            // Quoted, since a name may be anything.
            found: format!("has {which} {kind} {name:?}"),
        }),
    }
}

/// Tables, indexes and all else, by kind and name, and how they were made.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeMap<(String, String), String>> {
    connection
        .prepare(sql::OBJECTS)?
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?
        .collect()
}

fn migrate(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error| open_error(path, &error);
    // Another process may be doing the same: the write lock first, then the question.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version = check(path, &transaction)?;
    if version < migrations::NEWEST {
        migrations::bring_up(&transaction, version).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", newest()).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Rebuilds a file that was made before what is freed could be given back. Where another program has it
/// open, the next opening will.
fn make_shrinkable(connection: &Connection) -> rusqlite::Result<()> {
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode == INCREMENTAL {
        return Ok(());
    }
    connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    match connection.execute_batch("VACUUM") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        vacuumed => vacuumed,
    }
}

fn newest() -> i64 {
    i64::try_from(migrations::NEWEST).unwrap_or(i64::MAX)
}

fn open_error(path: &Path, error: &rusqlite::Error) -> StoreError {
    let source = said(error, path);
    let path = path.to_owned();
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        StoreError::NotADatabase { path }
    } else {
        StoreError::Open { path, source }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::config::DbConfig;
    use rusqlite::types::FromSql;
    use rusqlite::{Connection, params};
    use tempfile::TempDir;
    use usage_files::Accept;

    use super::{open_reader, open_writer};
    use crate::store::sqlite::database_files::DatabaseFiles;
    use crate::store::sqlite::{migrations, sql};

    fn files(directory: &TempDir) -> DatabaseFiles {
        DatabaseFiles::find(&directory.path().join("usage.db"), Accept::NOTHING).unwrap()
    }

    fn pragma<T: FromSql>(connection: &Connection, name: &str) -> T {
        connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    }

    /// What an answer promises hangs on these two. They belong to the connection that writes: no
    /// other one can be asked about `synchronous`.
    #[test]
    fn what_is_committed_survives_a_power_cut() {
        let directory = tempfile::tempdir().unwrap();
        for _ in ["created", "opened again"] {
            let connection = open_writer(&files(&directory)).unwrap();
            // 2 is FULL.
            assert_eq!(pragma::<i64>(&connection, "synchronous"), 2);
            assert_eq!(pragma::<String>(&connection, "journal_mode"), "wal");
            assert!(pragma::<bool>(&connection, "foreign_keys"));
        }
    }

    #[test]
    fn what_a_database_says_is_not_run() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(&directory);
        for connection in [open_writer(&files).unwrap(), open_reader(&files).unwrap()] {
            assert!(!pragma::<bool>(&connection, "trusted_schema"));
            for (config, is_on) in [
                (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
                (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
                (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
            ] {
                assert_eq!(connection.db_config(config).unwrap(), is_on);
            }
        }
    }

    /// Without triggers a report still takes its other ids along.
    #[test]
    fn a_report_takes_its_other_ids_along() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&files(&directory)).unwrap();
        connection
            .execute_batch(
                "INSERT INTO product VALUES (1, 'p');
                 INSERT INTO report (received_at, kind, product_id) VALUES (0, 3, 1);",
            )
            .unwrap();
        connection.execute(sql::INSERT_OTHER_ID, params!["other", 1]).unwrap();
        connection.execute("DELETE FROM report", []).unwrap();
        let count = "SELECT count(*) FROM other_id";
        assert_eq!(connection.query_row(count, [], |row| row.get(0)), Ok(0));
    }

    /// Nothing that is asked for often reads a whole table.
    #[test]
    fn indexes_serve_what_is_asked() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&files(&directory)).unwrap();
        for (statement, expected) in [
            // Both columns of it, not only the first.
            (sql::FIRST_WITH_KEY, "report_idempotency (<expr>=? AND idempotency_key=?)"),
            (sql::FIRST_WITH_KEY, "left_key USING PRIMARY KEY (token_id=? AND key=?)"),
            (sql::TOKEN_COUNTS, "SEARCH token USING INTEGER PRIMARY KEY (rowid=?)"),
            (sql::TOKEN, "SEARCH token USING INDEX"),
            (sql::KNOWN_BEFORE, "SEARCH report USING INDEX report_instance (instance=?)"),
            (sql::PAGE, "SEARCH report USING INTEGER PRIMARY KEY (rowid>?)"),
            (sql::PAGE, "SEARCH product USING INTEGER PRIMARY KEY (rowid=?)"),
            (sql::PAGE, "SEARCH product USING COVERING INDEX"),
        ] {
            let lines = migrations::plan(&connection, statement);
            assert!(lines.iter().any(|line| line.contains(expected)), "{lines:?}");
            let is_slow = |line: &String| {
                line.contains("TEMP B-TREE")
                    || line.starts_with("SCAN") && !line.contains("CONSTANT")
            };
            assert!(!lines.iter().any(is_slow), "{lines:?}");
        }
    }

    /// What is freed can be given back, in a file that is made as in one that was there.
    #[test]
    fn a_file_can_shrink() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usage.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(include_str!("schema_1.sql")).unwrap();
        old.pragma_update(None, "application_id", super::APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        let other = tempfile::tempdir().unwrap();
        for directory in [&directory, &other] {
            let connection = open_writer(&files(directory)).unwrap();
            assert_eq!(pragma::<i64>(&connection, "auto_vacuum"), super::INCREMENTAL);
        }
    }
}
