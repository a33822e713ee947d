//! The thread that writes the log beside the database into it, so that no report waits for that.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rusqlite::Connection;

use crate::ended::Ended;
use crate::store::error::StoreError;

/// How many pages of the log wait before they are written into the database: 4 MiB. Each time costs
/// the disk as much as a commit, and a page that was written often is written once. The log goes on
/// growing meanwhile; `schema` says where it ends.
const WAITING: i64 = 1024;

/// How long the end of the thread is awaited.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// The way to the thread, which ends with this.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// Taken when the database closes.
    wake: Option<SyncSender<()>>,
    ended: Ended,
}

impl Checkpoints {
    /// `connection` may write.
    pub(super) fn start(connection: Connection, path: &Path) -> Result<Self, StoreError> {
        let (wake, woken) = sync_channel(1);
        let (running, ended) = Ended::new();
        std::thread::Builder::new()
            .name("usage-server-checkpoints".to_owned())
            .spawn(move || {
                run(&connection, &woken);
                drop(connection);
                drop(running);
            })
            .map_err(|error| StoreError::Open { path: path.to_owned(), source: Arc::new(error) })?;
        Ok(Self { wake: Some(wake), ended })
    }

    /// Something was committed.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // If it was woken already, it looks after this.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wake = None;
        self.ended.wait(CLOSE_WAIT);
    }
}

fn run(connection: &Connection, woken: &Receiver<()>) {
    // Passive: it waits for nobody, and nobody for it. Where it does not work, the one that writes
    // does it, later, and tells its error.
    while let Ok(()) = woken.recv() {
        if waiting(connection, "NOOP").is_ok_and(|pages| pages >= WAITING) {
            drop(waiting(connection, "PASSIVE"));
        }
    }
}

/// How many pages of the log are not in the database, after a checkpoint of a kind: one may look
/// only.
fn waiting(connection: &Connection, kind: &str) -> rusqlite::Result<i64> {
    let checkpoint = format!("PRAGMA wal_checkpoint({kind})");
    connection.prepare_cached(&checkpoint)?.query_row([], |row| {
        let (in_log, in_database) = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
        Ok(in_log - in_database)
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use super::{Checkpoints, WAITING, waiting};

    /// Little of the log stays where it is, and much of it does not.
    #[test]
    fn a_long_log_is_written_into_the_database() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usage.db");
        let open = || Connection::open(&path).unwrap();
        let writer = open();
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        writer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        writer.execute_batch("CREATE TABLE a (b)").unwrap();
        let checkpoints = Checkpoints::start(open(), &path).unwrap();
        checkpoints.wake();
        let fill = "INSERT INTO a VALUES (randomblob(4096 * ?1))";
        writer.execute(fill, [WAITING / 2]).unwrap();
        assert!(waiting(&writer, "NOOP").unwrap() >= WAITING / 2);
        writer.execute(fill, [WAITING]).unwrap();
        let begun = Instant::now();
        while waiting(&writer, "NOOP").unwrap() > 0 {
            assert!(begun.elapsed() < Duration::from_secs(20));
            checkpoints.wake();
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
