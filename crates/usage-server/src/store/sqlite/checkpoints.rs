//! The thread that writes the log beside the database into it, so that no report waits for that.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rusqlite::Connection;

use crate::ended::Ended;
use crate::store::error::StoreError;

/// How long the log may become before it is written into the database: 4 MiB. It goes on growing
/// meanwhile; `schema` says where it ends.
const LENGTH: u64 = 4 * 1024 * 1024;

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
    pub(super) fn start(connection: Connection, log: PathBuf) -> Result<Self, StoreError> {
        let (wake, woken) = sync_channel(1);
        let (running, ended) = Ended::new();
        let path = log.clone();
        std::thread::Builder::new()
            .name("usage-server-checkpoints".to_owned())
            .spawn(move || {
                run(&connection, &log, &woken);
                drop(connection);
                drop(running);
            })
            .map_err(|error| StoreError::Open { path, source: Arc::new(error) })?;
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

fn run(connection: &Connection, log: &std::path::Path, woken: &Receiver<()>) {
    while let Ok(()) = woken.recv() {
        if std::fs::metadata(log).is_ok_and(|file| file.len() >= LENGTH) {
            // Passive: it waits for nobody, and nobody for it. Where it does not work, the one that
            // writes does it, later, and tells its error.
            drop(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())));
        }
    }
}
