//! The tables, and which files are taken for a database of this crate.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::error::{StoreError, said};

/// Each entry brings a database from the version before it to its own; the first makes version 1.
/// An entry that was released is never edited.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql"), include_str!("schema_3.sql")];

/// Marks a file as a database of this crate (`PRAGMA application_id`): `UsgA` in ASCII.
const APPLICATION_ID: i64 = 0x5573_6741;

/// How long a statement waits for another process that holds the database's lock.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Opens the one connection that writes, creates the tables or brings them up to date.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error| open_error(path, &error);
    create(path)
        .map_err(|error| StoreError::Open { path: path.to_owned(), source: Arc::new(error) })?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_CREATE).map_err(failed)?;
    // A file that is someone else's must not change by a byte, and switching to WAL changes it.
    check(path, &connection)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
    // An answer promises that its report survives a power cut.
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    migrate(path, &mut connection)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error| open_error(path, &error);
    // A reader of a WAL database writes to the shared index beside it, hence not READ_ONLY.
    let connection = connect(path, OpenFlags::empty()).map_err(failed)?;
    connection.pragma_update(None, "query_only", true).map_err(failed)?;
    Ok(connection)
}

/// Creates a file that is not there, readable for its owner alone where the system knows owners:
/// customers' names and reports are in it. `SQLite` gives the files beside it the same mode, and
/// would make it readable for everyone.
fn create(path: &Path) -> io::Result<()> {
    // To close a file lets go of every lock that the process has on it (POSIX), those of SQLite
    // too. So no file is opened here that a connection of this process may have open already:
    // nobody opens one between the question and the close.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // What can not be asked about can not be created either, and that error says more.
    if path.try_exists().unwrap_or(false) {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn connect(path: &Path, extra: OpenFlags) -> rusqlite::Result<Connection> {
    // Without NO_MUTEX SQLite would lock around each call, though a connection has one owner here.
    // Without the URI flag a path such as `file:x` is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra;
    let connection = Connection::open_with_flags(path, flags)?;
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
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(StoreError::Newer { path: path.to_owned(), found: version, supported: newest() }),
    }
}

fn migrate(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error| open_error(path, &error);
    // Another process may be doing the same: the write lock first, then the question.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version = check(path, &transaction)?;
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    if version < MIGRATIONS.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", newest()).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
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
    use rusqlite::types::FromSql;
    use rusqlite::{Connection, params};

    use super::open_writer;
    use crate::store::sql;

    fn pragma<T: FromSql>(connection: &Connection, name: &str) -> T {
        connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    }

    /// What an answer promises hangs on these two. They belong to the connection that writes: no
    /// other one can be asked about `synchronous`.
    #[test]
    fn what_is_committed_survives_a_power_cut() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usage.db");
        for _ in ["created", "opened again"] {
            let connection = open_writer(&path).unwrap();
            // 2 is FULL.
            assert_eq!(pragma::<i64>(&connection, "synchronous"), 2);
            assert_eq!(pragma::<String>(&connection, "journal_mode"), "wal");
            assert!(pragma::<bool>(&connection, "foreign_keys"));
        }
    }

    #[test]
    fn a_known_key_is_looked_up_by_its_index() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("usage.db")).unwrap();
        let plan: String = connection
            .query_row(
                &format!("EXPLAIN QUERY PLAN {}", sql::FIRST_WITH_KEY),
                params![1, "key"],
                |row| row.get("detail"),
            )
            .unwrap();
        assert!(plan.contains("SEARCH report USING INDEX report_idempotency"), "{plan}");
        // Both columns of it, not only the first.
        assert!(plan.contains("idempotency_key=?"), "{plan}");
    }
}
