//! What is stored together.

use std::sync::mpsc::{self, Receiver};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::registrant::Registrant;
use super::row::Report;
use super::token_hash::TokenHash;

/// The most jobs in one batch, so that the first of them does not wait for ever.
const MOST: usize = 256;

/// One thing to write, and whom to tell when it is durable.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: Reply,
}

#[derive(Debug)]
pub(super) enum Work {
    Report(Report),
    Token(NewToken),
    /// Nothing to write: the answer shows that everything before it is durable, and that the
    /// database would take a write.
    Barrier,
}

/// A token to be stored.
#[derive(Debug, Clone)]
pub(super) struct NewToken {
    pub(super) hash: TokenHash,
    pub(super) organisation: String,
    /// Who registered for it at the page.
    pub(super) registrant: Option<Registrant>,
}

#[derive(Debug)]
pub(super) enum Reply {
    /// With the runtime that it waits on.
    Task(Handle, oneshot::Sender<Result<Done, StoreError>>),
    Thread(mpsc::SyncSender<Result<Done, StoreError>>),
}

/// What became of a job that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// A report or a token is stored.
    Stored,
    /// The key was known, from a report for the same, and nothing was stored.
    Repeated,
    /// The key was known, from a report for something else, and nothing was stored.
    KeyTaken,
    /// The token of the report has ended since it was looked up, and nothing was stored.
    TokenEnded,
    /// There was nothing to store.
    Nothing,
}

/// What became of each job of a batch.
pub(super) type Written = Vec<Result<Done, StoreError>>;

/// Jobs that are stored together, and those that wait behind them.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    jobs: Vec<Job>,
    waiting: &'a Receiver<Job>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(first: Job, waiting: &'a Receiver<Job>) -> Self {
        Self { jobs: vec![first], waiting }
    }

    /// What stands at a place of the batch. One that waits joins with each call, as long as there is
    /// room: whoever comes while a transaction goes on is taken along.
    pub(super) fn work_at(&mut self, place: usize) -> Option<&Work> {
        if self.jobs.len() < MOST
            && let Ok(job) = self.waiting.try_recv()
        {
            self.jobs.push(job);
        }
        Some(&self.jobs.get(place)?.work)
    }

    /// What is in the batch by now.
    pub(super) fn works(&self) -> impl Iterator<Item = &Work> {
        self.jobs.iter().map(|job| &job.work)
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn into_replies(self) -> impl Iterator<Item = Reply> {
        self.jobs.into_iter().map(|job| job.reply)
    }
}

/// Tells everybody what became of their jobs.
pub(super) fn answer(replies: impl Iterator<Item = (Reply, Result<Done, StoreError>)>) {
    let mut tasks = Vec::new();
    let mut runtime = None;
    for (reply, result) in replies {
        // Nobody may be waiting any more: a client went away. Its report is stored all the same.
        match reply {
            Reply::Thread(sender) => drop(sender.send(result)),
            Reply::Task(handle, sender) => {
                runtime.get_or_insert(handle);
                tasks.push((sender, result));
            }
        }
    }
    // A task that is woken from a thread may cost that thread a system call, and its core. One of
    // their own wakes all of them where they run.
    if let Some(runtime) = runtime {
        runtime.spawn(async move {
            for (sender, result) in tasks {
                drop(sender.send(result));
            }
        });
    }
}
