//! The database in `PostgreSQL` 15 or newer, for one server or many: nothing outside this module knows a
//! statement or a connection.
//!
//! Statements are unnamed and typed, so that they pass through a pool that gives each transaction
//! another connection.

mod append;
mod connections;
mod delete;
mod failure;
mod moving;
mod page;
mod schema;
mod tally;
mod text;
mod tokens;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;

use super::backend::{Backend, Looked};
use super::batch::{Batch, Done, Work, Written};
use super::erasure::Audit;
use super::error::StoreError;
use super::figures::Figures;
use super::moving::{LeftKey, MovedErasure, MovedReport, MovedToken, Portion};
use super::postgres_address::PostgresAddress;
use super::refusals::DayRefusals;
use super::row::Purpose;
use super::selection::Selection;
use super::sender::Sender;
use super::stored::StoredRow;
use super::target::Target;
use super::token::{StoredToken, TokenChange};
use super::token_hash::TokenHash;
use failure::{Failed, boxed, late, retried};
use schema::Unfit;

/// How long a batch may take, or anything else that a request waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long what reads or deletes much may take.
const LONG: Duration = Duration::from_secs(600);

/// A database behind a pool of connections.
pub(super) struct Postgres {
    /// What the connections run on. Taken when this is dropped.
    runtime: Option<Runtime>,
    pool: Pool,
    /// The address without its password.
    name: PathBuf,
}

impl Postgres {
    pub(super) fn open(address: &PostgresAddress) -> Result<Self, StoreError> {
        let name = PathBuf::from(address.name());
        let not_opened =
            |words: String| StoreError::Connect { database: address.name(), source: boxed(words) };
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("usage-server-postgres")
            .enable_all()
            .build()
            .map_err(|error| not_opened(format!("its thread cannot be started: {error}")))?;
        let pool = connections::pool(address.config()).map_err(|it| not_opened(it.words()))?;
        let this = Self { runtime: Some(runtime), pool, name: name.clone() };
        let migrated = this.wait(async {
            let client = connections::connection(&this.pool).await.map_err(Unfit::Failed)?;
            match timeout(LONG, schema::migrate(&client)).await {
                Ok(migrated) => migrated,
                Err(_) => Err(Unfit::Failed(late(LONG))),
            }
        });
        match migrated {
            Ok(()) => Ok(this),
            Err(Unfit::Failed(failed)) => Err(not_opened(failed.words())),
            Err(Unfit::Newer(found)) => {
                Err(StoreError::Newer { path: name, found, supported: schema::newest() })
            }
        }
    }

    /// Waits for something on the runtime, from whatever thread.
    fn wait<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        // It is there until this is dropped.
        #[expect(clippy::expect_used, reason = "only drop takes it")]
        let runtime = self.runtime.as_ref().expect("the runtime is there").handle();
        if Handle::try_current().is_err() {
            return runtime.block_on(work);
        }
        // On a thread of a runtime nothing may wait for another one.
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| runtime.block_on(work));
            match waiting.join() {
                Ok(done) => done,
                Err(panicked) => std::panic::resume_unwind(panicked),
            }
        })
    }

    fn not_read(&self, failed: Failed) -> StoreError {
        match failed {
            Failed::Unreachable(words) => self.unreachable(words),
            Failed::Again(words) | Failed::Other(words) => {
                StoreError::Read { path: self.name.clone(), source: boxed(words) }
            }
        }
    }

    /// Tries again what others were in the way of.
    fn write<T>(&self, mut work: impl FnMut() -> Result<T, Failed>) -> Result<T, StoreError> {
        retried(&mut work).map_err(|failed| self.not_written(failed))
    }

    fn not_written(&self, failed: Failed) -> StoreError {
        match failed {
            Failed::Unreachable(words) => self.unreachable(words),
            Failed::Again(words) | Failed::Other(words) => {
                StoreError::Write { path: self.name.clone(), source: boxed(words) }
            }
        }
    }

    fn unreachable(&self, words: String) -> StoreError {
        StoreError::Unreachable { database: self.name.display().to_string(), source: boxed(words) }
    }
}

/// Does something on a connection, within a time. It is a macro since no bound says of an async closure
/// that its future can go to another thread.
macro_rules! on_connection {
    ($this:ident, $most:expr, $client:ident => $work:expr) => {
        $this.wait(async {
            let $client = connections::connection(&$this.pool).await?;
            let done = match timeout($most, $work).await {
                Ok(done) => done,
                Err(_) => Err(late($most)),
            };
            if let Err(Failed::Unreachable(_)) = done {
                // Nobody knows what it is in the middle of.
                drop(deadpool_postgres::Object::take($client));
            }
            done
        })
    };
}

impl Postgres {
    fn append_all(&self, works: &[&Work]) -> Result<Vec<Done>, Failed> {
        retried(&mut || on_connection!(self, PATIENCE, client => append::append(&client, works)))
    }
}

impl Backend for Postgres {
    fn append(&self, batch: &mut Batch<'_>) -> Result<Written, StoreError> {
        // Whoever waits is taken along.
        let mut count = 0;
        while batch.work_at(count).is_some() {
            count += 1;
        }
        let works: Vec<&Work> = batch.works().collect();
        match self.append_all(&works) {
            Ok(done) => Ok(done.into_iter().map(Ok).collect()),
            // The others are not to suffer for one of them.
            Err(Failed::Other(_) | Failed::Again(_)) if works.len() > 1 => {
                let one = |work: &&Work| {
                    let done = self.append_all(&[*work]).map(|done| done[0]);
                    done.map_err(|failed| self.not_written(failed))
                };
                Ok(works.iter().map(one).collect())
            }
            Err(failed) => Err(self.not_written(failed)),
        }
    }

    fn is_there(&self) -> Result<(), StoreError> {
        on_connection!(self, PATIENCE, client => async { Ok(client.check_connection().await?) })
            .map_err(|failed| self.not_read(failed))
    }

    fn sender(&self, token: TokenHash) -> Result<Sender, StoreError> {
        on_connection!(self, PATIENCE, client => tokens::look_up(&client, token))
            .map_err(|failed| self.not_read(failed))
    }

    fn first_with_key(
        &self,
        token_id: Option<i64>,
        key: &str,
    ) -> Result<Option<Purpose>, StoreError> {
        on_connection!(self, PATIENCE, client => append::first_with_key(&client, token_id, key))
            .map_err(|failed| self.not_read(failed))
    }

    fn tokens(&self) -> Result<Vec<StoredToken>, StoreError> {
        on_connection!(self, PATIENCE, client => tokens::list(&client))
            .map_err(|failed| self.not_read(failed))
    }

    fn token_id(&self, token: TokenHash) -> Result<Option<i64>, StoreError> {
        on_connection!(self, PATIENCE, client => tokens::id(&client, token))
            .map_err(|failed| self.not_read(failed))
    }

    fn change_tokens(&self, change: &TokenChange) -> Result<usize, StoreError> {
        let changed = self
            .write(|| on_connection!(self, PATIENCE, client => tokens::change(&client, change)));
        Ok(usize::try_from(changed?).unwrap_or(usize::MAX))
    }

    fn has_token(&self, organisation: &str) -> Result<bool, StoreError> {
        on_connection!(self, PATIENCE, client => tokens::has(&client, organisation))
            .map_err(|failed| self.not_read(failed))
    }

    fn page(&self, selection: &Selection) -> Result<Vec<StoredRow>, StoreError> {
        on_connection!(self, LONG, client => page::page(&client, selection))
            .map_err(|failed| self.not_read(failed))
    }

    fn first_since(&self, selection: &Selection) -> Result<Option<i64>, StoreError> {
        on_connection!(self, LONG, client => tally::first_since(&client, selection))
            .map_err(|failed| self.not_read(failed))
    }

    fn row(&self, position: i64) -> Result<Option<StoredRow>, StoreError> {
        on_connection!(self, PATIENCE, client => page::row(&client, position))
            .map_err(|failed| self.not_read(failed))
    }

    fn products(&self) -> Result<Vec<String>, StoreError> {
        on_connection!(self, LONG, client => delete::products(&client))
            .map_err(|failed| self.not_read(failed))
    }

    fn known_before(
        &self,
        product: &str,
        instances: &[&str],
        before: &str,
    ) -> Result<u64, StoreError> {
        on_connection!(
            self,
            LONG,
            client => delete::known_before(&client, product, instances, before)
        )
        .map_err(|failed| self.not_read(failed))
    }

    fn backup(&self, _: &Path) -> Result<u64, StoreError> {
        Err(StoreError::NoBackup { database: self.name.display().to_string() })
    }

    fn find(&self, target: &Target, after: i64, most: usize) -> Result<Vec<i64>, StoreError> {
        on_connection!(self, LONG, client => delete::find(&client, target, after, most))
            .map_err(|failed| self.not_read(failed))
    }

    fn count(&self, target: &Target) -> Result<u64, StoreError> {
        on_connection!(self, LONG, client => delete::count(&client, target))
            .map_err(|failed| self.not_read(failed))
    }

    fn delete(&self, positions: &[i64], keep_keys_since: Option<&str>) -> Result<u64, StoreError> {
        self.write(|| {
            on_connection!(
                self,
                PATIENCE,
                client => delete::delete(&client, positions, keep_keys_since)
            )
        })
    }

    fn forget_left_keys(&self, before: &str, most: usize) -> Result<u64, StoreError> {
        self.write(|| {
            on_connection!(self, LONG, client => delete::forget_left_keys(&client, before, most))
        })
    }

    fn forget_keys(&self, before: &str, after: i64, most: usize) -> Result<Looked, StoreError> {
        self.write(|| {
            on_connection!(self, LONG, client => delete::forget_keys(&client, before, after, most))
        })
    }

    fn close_erasure(&self, audit: &Audit) -> Result<u64, StoreError> {
        self.write(|| on_connection!(self, LONG, client => delete::close_erasure(&client, audit)))
    }

    /// `PostgreSQL` does that by itself.
    fn give_back(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn hold_upkeep(&self, holder: &str, time: Duration) -> Result<bool, StoreError> {
        self.write(
            || on_connection!(self, PATIENCE, client => delete::hold_upkeep(&client, holder, time)),
        )
    }

    fn note_pruned(&self, holder: &str) -> Result<(), StoreError> {
        self.write(|| on_connection!(self, PATIENCE, client => tally::note_pruned(&client, holder)))
    }

    fn count_on(&self, most: usize) -> Result<bool, StoreError> {
        self.write(|| on_connection!(self, PATIENCE, client => tally::count_on(&client, most)))
    }

    fn figures(&self) -> Result<Figures, StoreError> {
        on_connection!(self, PATIENCE, client => tally::figures(&client))
            .map_err(|failed| self.not_read(failed))
    }

    fn add_refusals(&self, refusals: &[DayRefusals]) -> Result<(), StoreError> {
        self.write(
            || on_connection!(self, PATIENCE, client => tally::add_refusals(&client, refusals)),
        )
    }

    fn refusals(&self, since: &str) -> Result<Vec<DayRefusals>, StoreError> {
        on_connection!(self, PATIENCE, client => tally::refusals(&client, since))
            .map_err(|failed| self.not_read(failed))
    }

    fn tokens_to_move(&self) -> Result<Vec<MovedToken>, StoreError> {
        on_connection!(self, LONG, client => moving::tokens(&client))
            .map_err(|failed| self.not_read(failed))
    }

    fn reports_to_move(&self, after: i64) -> Result<Vec<MovedReport>, StoreError> {
        on_connection!(self, LONG, client => moving::reports(&client, after))
            .map_err(|failed| self.not_read(failed))
    }

    fn keys_to_move(&self, after: Option<&(i64, String)>) -> Result<Vec<LeftKey>, StoreError> {
        on_connection!(self, LONG, client => moving::keys(&client, after))
            .map_err(|failed| self.not_read(failed))
    }

    fn erasures_to_move(&self) -> Result<Vec<MovedErasure>, StoreError> {
        on_connection!(self, LONG, client => moving::erasures(&client))
            .map_err(|failed| self.not_read(failed))
    }

    fn extent(&self) -> Result<(u64, i64), StoreError> {
        let (count, last) = on_connection!(self, LONG, client => moving::extent(&client))
            .map_err(|failed| self.not_read(failed))?;
        Ok((u64::try_from(count).unwrap_or_default(), last))
    }

    fn last_position(&self) -> Result<i64, StoreError> {
        on_connection!(self, LONG, client => moving::last_position(&client))
            .map_err(|failed| self.not_read(failed))
    }

    fn take(&self, portion: &Portion) -> Result<(), StoreError> {
        self.write(|| on_connection!(self, LONG, client => moving::take(&client, portion)))
    }

    fn go_on_after(&self, position: i64) -> Result<(), StoreError> {
        self.write(|| on_connection!(self, LONG, client => moving::go_on_after(&client, position)))
    }

    fn path(&self) -> &Path {
        &self.name
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may be dropped on a thread of another runtime, where nothing may be waited for. What was
        // answered is committed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("name", &self.name).finish_non_exhaustive()
    }
}
