//! Connections that read, kept for the next who asks.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::database_files::DatabaseFiles;
use super::said::said;
use super::schema;
use crate::store::error::StoreError;

/// How many idle connections are kept.
const IDLE: usize = 4;

/// Connections that read; WAL lets them do so while the writer writes.
pub(super) struct ReaderPool {
    files: Arc<DatabaseFiles>,
    idle: Mutex<Vec<Connection>>,
}

impl ReaderPool {
    pub(super) fn new(files: Arc<DatabaseFiles>) -> Self {
        Self { files, idle: Mutex::new(Vec::new()) }
    }

    /// Runs a query on a connection that nobody else uses meanwhile.
    pub(super) fn with<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => {
                // What a file says that has lost its name is nobody's answer.
                self.files.are_there()?;
                connection
            }
            None => schema::open_reader(&self.files)?,
        };
        let result = query(&connection).map_err(|error| StoreError::Read {
            path: self.files.path().to_owned(),
            source: said(&error, self.files.path()),
        })?;
        let mut idle = idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        Ok(result)
    }
}

impl fmt::Debug for ReaderPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderPool").field("path", &self.files.path()).finish_non_exhaustive()
    }
}
