//! The one thread that writes: many waiting requests in one transaction.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::database_files::DatabaseFiles;
use super::error::{StoreError, said};
use super::metrics::Counters;
use super::registrant::Registrant;
use super::row::{Kind, Report, Row};
use super::token_hash::TokenHash;
use super::{StoreOptions, sql};
use crate::commit_meter::CommitMeter;
use crate::event::{Events, ServerEvent};

/// The most jobs in one transaction, so that the first of them does not wait for ever.
const BATCH: usize = 256;

/// One thing to write, and whom to tell when it is durable.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: Reply,
}

#[derive(Debug)]
pub(super) enum Work {
    Report(Report),
    Token {
        hash: TokenHash,
        organisation: String,
        /// Who registered for it at the page.
        registrant: Option<Registrant>,
    },
    /// Nothing to write: the answer shows that everything before it is durable, and that the
    /// database would take a write.
    Barrier,
}

#[derive(Debug)]
pub(super) enum Reply {
    Task(oneshot::Sender<Result<Done, StoreError>>),
    Thread(mpsc::SyncSender<Result<Done, StoreError>>),
}

/// What became of a job whose transaction is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// A report or a token is stored.
    Stored,
    /// The key was known, from a report for the same, and nothing was stored.
    Repeated,
    /// The key was known, from a report for something else, and nothing was stored.
    KeyTaken,
    /// There was nothing to store.
    Nothing,
}

impl Reply {
    fn send(self, result: Result<Done, StoreError>) {
        // Nobody may be waiting any more: a client went away. Its report is stored all the same.
        match self {
            Reply::Task(sender) => drop(sender.send(result)),
            Reply::Thread(sender) => drop(sender.send(result)),
        }
    }
}

/// What the thread works with.
pub(super) struct Writer {
    connection: Connection,
    files: Arc<DatabaseFiles>,
    counters: Arc<Counters>,
    commits: CommitMeter,
    watch: Duration,
    events: Events,
    /// Whether it was told that the database is gone.
    gone: bool,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        files: Arc<DatabaseFiles>,
        counters: Arc<Counters>,
        options: &StoreOptions,
    ) -> Self {
        let (watch, events) = (options.watch, options.events.clone());
        let commits = options.commits.clone();
        Self { connection, files, counters, commits, watch, events, gone: false }
    }

    /// Writes until nobody can send a job any more.
    pub(super) fn run(&mut self, jobs: &Receiver<Job>) {
        loop {
            match jobs.recv_timeout(self.watch) {
                Ok(first) => self.write(first, jobs),
                // Whoever notices is told by an event.
                Err(RecvTimeoutError::Timeout) => drop(self.is_there()),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn write(&mut self, first: Job, jobs: &Receiver<Job>) {
        let begun = Instant::now();
        let mut batch = vec![first];
        let written = transact(&self.connection, &mut batch, jobs).or_else(|failed| {
            roll_back(&self.connection);
            match failed {
                // The others are not to suffer for it.
                Failed::Job(_) if batch.len() > 1 => one_by_one(&self.connection, &batch)
                    .inspect_err(|_| roll_back(&self.connection)),
                Failed::Job(error) | Failed::All(error) => Err(error),
            }
        });
        // What was committed into a file without a name is lost, so nobody is told that it is
        // stored. A file that loses its name later was there when this was answered.
        let there = self.is_there();
        let results = match (written, there) {
            (_, Err(gone)) => vec![Err(gone); batch.len()],
            (Err(error), Ok(())) => vec![Err(self.failure(&error)); batch.len()],
            (Ok(written), Ok(())) => {
                count(&self.counters, &written);
                self.commits.committed(written.len(), begun.elapsed());
                let told = |done: Result<Done, _>| done.map_err(|error| self.failure(&error));
                written.into_iter().map(told).collect()
            }
        };
        for (job, result) in batch.into_iter().zip(results) {
            self.counters.answered.fetch_add(1, Relaxed);
            job.reply.send(result);
        }
    }

    fn failure(&self, error: &rusqlite::Error) -> StoreError {
        let path = self.files.path();
        StoreError::Write { path: path.to_owned(), source: said(error, path) }
    }

    /// Whether the files that are open have their names.
    fn is_there(&mut self) -> Result<(), StoreError> {
        let there = self.files.are_there();
        match &there {
            Err(error) if !self.gone => {
                self.events.tell(&ServerEvent::DatabaseGone(error.clone()));
            }
            Ok(()) if self.gone => {
                let path = self.files.path().to_owned();
                self.events.tell(&ServerEvent::DatabaseBack { path });
            }
            _ => {}
        }
        self.gone = there.is_err();
        there
    }
}

/// What became of each job of a batch that is committed.
type Written = Vec<rusqlite::Result<Done>>;

/// Why a transaction was not committed.
enum Failed {
    /// One of its jobs did not work.
    Job(rusqlite::Error),
    /// It could not begin, or not end.
    All(rusqlite::Error),
}

/// Runs one transaction over the batch and everything that waits behind it, which becomes a part of
/// it. All of it is durable then, or none of it is stored.
fn transact(
    connection: &Connection,
    batch: &mut Vec<Job>,
    jobs: &Receiver<Job>,
) -> Result<Written, Failed> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(Failed::All)?;
    let mut written = Vec::new();
    // Whoever came while the lock was awaited is taken along, and so is whoever comes meanwhile.
    while let Some(job) = batch.get(written.len()) {
        written.push(Ok(perform(connection, &job.work).map_err(Failed::Job)?));
        if batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
    }
    connection.execute_batch("COMMIT").map_err(Failed::All)?;
    Ok(written)
}

/// Does the same for a batch of which one job does not work, and leaves that one out. A savepoint for
/// each costs a third of the rate, so this is a second try alone.
fn one_by_one(connection: &Connection, batch: &[Job]) -> rusqlite::Result<Written> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut written = Vec::new();
    for job in batch {
        connection.execute_batch("SAVEPOINT job")?;
        let done = perform(connection, &job.work);
        if let Err(error) = done {
            // After some errors, such as a full disk, SQLite has rolled back all of it by itself.
            if connection.is_autocommit() {
                return Err(error);
            }
            connection.execute_batch("ROLLBACK TO job")?;
            written.push(Err(error));
        } else {
            written.push(done);
        }
        connection.execute_batch("RELEASE job")?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(written)
}

fn roll_back(connection: &Connection) {
    // SQLite has rolled back by itself after some errors. Where this fails too, the next BEGIN
    // fails, and says so to whoever waits for it.
    if !connection.is_autocommit() {
        drop(connection.execute_batch("ROLLBACK"));
    }
}

fn count(counters: &Counters, written: &Written) {
    let number = |of| written.iter().flatten().filter(|&&done| done == of).count() as u64;
    let stored = number(Done::Stored);
    counters.stored.fetch_add(stored, Relaxed);
    counters.repeated.fetch_add(number(Done::Repeated), Relaxed);
    counters.commits.fetch_add(u64::from(stored > 0), Relaxed);
}

fn perform(connection: &Connection, work: &Work) -> rusqlite::Result<Done> {
    match work {
        Work::Report(report) => insert_report(connection, report),
        Work::Token { hash, organisation, registrant } => {
            connection
                .prepare_cached(sql::INSERT_TOKEN)?
                .execute(params![hash.as_bytes(), organisation])?;
            if let Some(Registrant { email, cluster_id, product, .. }) = registrant {
                let id = connection.last_insert_rowid();
                connection
                    .prepare_cached(sql::INSERT_REGISTRATION)?
                    .execute(params![id, email, cluster_id, product])?;
            }
            Ok(Done::Stored)
        }
        Work::Barrier => Ok(Done::Nothing),
    }
}

fn insert_report(connection: &Connection, report: &Report) -> rusqlite::Result<Done> {
    let Report { token_id, idempotency_key, row, .. } = report;
    let (kind, product) = (row.kind(), row.product());
    let inserted = connection.prepare_cached(sql::INSERT_REPORT)?.execute(params![
        token_id,
        kind.as_str(),
        product,
        idempotency_key
    ])?;
    if inserted == 0 {
        let is_same: bool = connection
            .prepare_cached(sql::FIRST_WITH_KEY)?
            .query_row(params![token_id, idempotency_key], |row| {
                Ok(row.get::<_, Kind>(0)? == kind && row.get_ref(1)?.as_str()? == product)
            })?;
        return Ok(if is_same { Done::Repeated } else { Done::KeyTaken });
    }
    let id = connection.last_insert_rowid();
    match row {
        Row::Server(server) => connection.prepare_cached(sql::INSERT_SERVER)?.execute(params![
            id,
            server.cluster_id,
            server.server_id,
            server.host,
            server.version
        ])?,
        Row::Stats { cluster_id, server_id, data, .. } => connection
            .prepare_cached(sql::INSERT_STATS)?
            .execute(params![id, cluster_id, server_id, data])?,
        Row::Usage { data, .. } => {
            connection.prepare_cached(sql::INSERT_USAGE)?.execute(params![id, data])?
        }
    };
    Ok(Done::Stored)
}
