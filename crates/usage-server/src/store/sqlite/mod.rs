//! The database in one `SQLite` file: nothing outside this module knows a statement or a connection.

mod append;
mod backup;
mod checkpoints;
mod database_files;
mod delete;
mod fill_ids;
mod kind_number;
mod migrations;
mod millis;
mod moving;
mod packed;
mod page;
mod product;
mod reader_pool;
mod said;
mod schema;
mod sql;
mod tally;
mod tokens;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tempfile::TempDir;
use usage_files::Accept;

use super::backend::{Backend, Looked};
use super::batch::{Batch, Written};
use super::erasure::Audit;
use super::error::StoreError;
use super::figures::Figures;
use super::moving::{LeftKey, MovedErasure, MovedReport, MovedToken, Portion};
use super::refusals::DayRefusals;
use super::row::Purpose;
use super::selection::Selection;
use super::sender::Sender;
use super::stored::StoredRow;
use super::target::Target;
use super::time_text::time_text;
use super::token::{StoredToken, TokenChange};
use super::token_hash::TokenHash;
use checkpoints::Checkpoints;
use database_files::DatabaseFiles;
use millis::Millis;
use packed::Packed;
use reader_pool::ReaderPool;
use said::said;

/// An open file.
pub(super) struct Sqlite {
    // Fields go in this order: the connections, then the directory of their files.
    checkpoints: Checkpoints,
    /// The one connection that writes. Whoever has it has it for milliseconds: reports wait for it.
    writer: Mutex<Connection>,
    readers: ReaderPool,
    files: Arc<DatabaseFiles>,
    _directory: Option<TempDir>,
}

impl Sqlite {
    /// A file, made if it is not there.
    pub(super) fn open(path: &Path, accept: Accept) -> Result<Self, StoreError> {
        Self::over(DatabaseFiles::find(path, accept)?, None)
    }

    /// A file in a directory that goes with it.
    pub(super) fn temporary() -> Result<Self, StoreError> {
        let directory = tempfile::Builder::new()
            .prefix("usage-server-")
            .tempdir()
            .map_err(|error| StoreError::Temporary { source: Arc::new(error) })?;
        let files = DatabaseFiles::find(&directory.path().join("usage.db"), Accept::NOTHING)?;
        Self::over(files, Some(directory))
    }

    fn over(files: DatabaseFiles, directory: Option<TempDir>) -> Result<Self, StoreError> {
        let files = Arc::new(files);
        let writer = Mutex::new(schema::open_writer(&files)?);
        let checkpoints = Checkpoints::start(schema::open_checkpoints(&files)?, files.path())?;
        let readers = ReaderPool::new(files.clone());
        Ok(Self { checkpoints, writer, readers, files, _directory: directory })
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        // Whoever panicked with it has left a transaction at worst, which the next BEGIN tells.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one short transaction, for as long as no batch can be stored.
    fn write<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer();
        let done = (|| {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })();
        drop(writer);
        self.checkpoints.wake();
        self.files.are_there()?;
        done.map_err(|error| self.not_written(&error))
    }

    fn not_written(&self, error: &rusqlite::Error) -> StoreError {
        let path = self.files.path();
        StoreError::Write { path: path.to_owned(), source: said(error, path) }
    }
}

impl Backend for Sqlite {
    fn append(&self, batch: &mut Batch<'_>) -> Result<Written, StoreError> {
        let performed = append::append(&self.writer(), batch);
        self.checkpoints.wake();
        // What was committed into a file without a name is lost, so nobody is told that it is
        // stored. A file that loses its name later was there when this was answered.
        self.files.are_there()?;
        let told = |error| self.not_written(&error);
        Ok(performed.map_err(told)?.into_iter().map(|done| done.map_err(told)).collect())
    }

    fn is_there(&self) -> Result<(), StoreError> {
        self.files.are_there()
    }

    fn sender(&self, token: TokenHash) -> Result<Sender, StoreError> {
        self.readers.with(|connection| {
            let known = connection
                .prepare_cached(sql::TOKEN)?
                .query_row(params![token.as_bytes()], |row| {
                    Ok(Sender::Known { token_id: row.get(0)?, organisation: row.get(1)? })
                })
                .optional()?;
            Ok(known.unwrap_or(Sender::Unknown))
        })
    }

    fn first_with_key(
        &self,
        token_id: Option<i64>,
        key: &str,
    ) -> Result<Option<Purpose>, StoreError> {
        self.readers.with(|connection| append::first_with_key(connection, token_id, key))
    }

    fn tokens(&self) -> Result<Vec<StoredToken>, StoreError> {
        self.readers.with(tokens::list)
    }

    fn token_id(&self, token: TokenHash) -> Result<Option<i64>, StoreError> {
        self.readers.with(|connection| tokens::id(connection, token))
    }

    fn change_tokens(&self, change: &TokenChange) -> Result<usize, StoreError> {
        self.write(|connection| tokens::change(connection, change))
    }

    fn has_token(&self, organisation: &str) -> Result<bool, StoreError> {
        self.readers.with(|connection| {
            connection
                .prepare_cached(sql::HAS_TOKEN)?
                .query_row(params![organisation], |row| row.get(0))
        })
    }

    fn page(&self, selection: &Selection) -> Result<Vec<StoredRow>, StoreError> {
        self.readers.with(|connection| page::page(connection, selection))
    }

    fn first_since(&self, selection: &Selection) -> Result<Option<i64>, StoreError> {
        self.readers.with(|connection| tally::first_since(connection, selection))
    }

    fn row(&self, position: i64) -> Result<Option<StoredRow>, StoreError> {
        self.readers.with(|connection| page::row(connection, position))
    }

    fn products(&self) -> Result<Vec<String>, StoreError> {
        self.readers.with(delete::products)
    }

    fn known_before(
        &self,
        product: &str,
        instances: &[&str],
        before: &str,
    ) -> Result<u64, StoreError> {
        self.readers.with(|connection| {
            let mut statement = connection.prepare_cached(sql::KNOWN_BEFORE)?;
            let before = Millis::parse(before)?;
            let mut known = 0;
            for instance in instances {
                let is_known: bool = statement
                    .query_row(params![Packed(instance), product, before], |row| row.get(0))?;
                known += u64::from(is_known);
            }
            Ok(known)
        })
    }

    fn backup(&self, to: &Path) -> Result<u64, StoreError> {
        let source = schema::open_reader(&self.files)?;
        backup::backup(&source, to)
    }

    fn find(&self, target: &Target, after: i64, most: usize) -> Result<Vec<i64>, StoreError> {
        self.readers.with(|connection| delete::find(connection, target, after, most))
    }

    fn count(&self, target: &Target) -> Result<u64, StoreError> {
        let count = self.readers.with(|connection| delete::count(connection, target))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    fn delete(&self, positions: &[i64], keep_keys_since: Option<&str>) -> Result<u64, StoreError> {
        let delete =
            |connection: &Connection| delete::delete(connection, positions, keep_keys_since);
        self.write(delete).map(|count| count as u64)
    }

    fn forget_left_keys(&self, before: &str, most: usize) -> Result<u64, StoreError> {
        let forget = |connection: &Connection| delete::forget_left_keys(connection, before, most);
        self.write(forget).map(|count| count as u64)
    }

    fn forget_keys(&self, before: &str, after: i64, most: usize) -> Result<Looked, StoreError> {
        let old = |connection: &Connection| delete::old_keys(connection, before, after, most);
        let (keyed, looked) = self.readers.with(old)?;
        if !keyed.is_empty() {
            self.write(|connection| delete::forget_keys(connection, &keyed))?;
        }
        Ok(looked)
    }

    fn close_erasure(&self, audit: &Audit) -> Result<u64, StoreError> {
        self.write(|connection| delete::close_erasure(connection, audit)).map(|count| count as u64)
    }

    fn give_back(&self) -> Result<bool, StoreError> {
        let more = delete::give_back(&self.writer());
        self.files.are_there()?;
        more.map_err(|error| self.not_written(&error))
    }

    fn hold_upkeep(&self, holder: &str, time: Duration) -> Result<bool, StoreError> {
        self.write(|connection| delete::hold_upkeep(connection, holder, time))
    }

    fn note_pruned(&self, holder: &str) -> Result<(), StoreError> {
        let now = time_text(SystemTime::now());
        self.write(|connection| tally::note_pruned(connection, holder, &now))
    }

    fn count_on(&self, most: usize) -> Result<bool, StoreError> {
        if !self.readers.with(tally::is_behind)? {
            return Ok(false);
        }
        self.write(|connection| tally::count_on(connection, most))
    }

    fn figures(&self) -> Result<Figures, StoreError> {
        let figures = self.readers.with(tally::figures)?;
        Ok(Figures { bytes: self.files.bytes(), ..figures })
    }

    fn add_refusals(&self, refusals: &[DayRefusals]) -> Result<(), StoreError> {
        self.write(|connection| tally::add_refusals(connection, refusals))
    }

    fn refusals(&self, since: &str) -> Result<Vec<DayRefusals>, StoreError> {
        self.readers.with(|connection| tally::refusals(connection, since))
    }

    fn tokens_to_move(&self) -> Result<Vec<MovedToken>, StoreError> {
        self.readers.with(moving::tokens)
    }

    fn reports_to_move(&self, after: i64) -> Result<Vec<MovedReport>, StoreError> {
        self.readers.with(|connection| moving::reports(connection, after))
    }

    fn keys_to_move(&self, after: Option<&(i64, String)>) -> Result<Vec<LeftKey>, StoreError> {
        self.readers.with(|connection| moving::keys(connection, after))
    }

    fn erasures_to_move(&self) -> Result<Vec<MovedErasure>, StoreError> {
        self.readers.with(moving::erasures)
    }

    fn extent(&self) -> Result<(u64, i64), StoreError> {
        let (count, last) = self.readers.with(moving::extent)?;
        Ok((u64::try_from(count).unwrap_or_default(), last))
    }

    fn last_position(&self) -> Result<i64, StoreError> {
        self.readers.with(moving::last_position)
    }

    fn take(&self, portion: &Portion) -> Result<(), StoreError> {
        self.write(|connection| moving::take(connection, portion))
    }

    fn go_on_after(&self, position: i64) -> Result<(), StoreError> {
        self.write(|connection| moving::go_on_after(connection, position))
    }

    fn path(&self) -> &Path {
        self.files.path()
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.files.path()).finish_non_exhaustive()
    }
}
