//! The one thread that writes: it gathers what waits, and answers when it is durable.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::StoreOptions;
use super::backend::Backend;
use super::batch::{Batch, Done, Job, Written, answer};
use super::error::StoreError;
use super::metrics::Counters;
use crate::commit_meter::CommitMeter;
use crate::event::{Events, ServerEvent};

/// What the thread works with.
pub(super) struct Writer {
    backend: Arc<dyn Backend>,
    counters: Arc<Counters>,
    commits: CommitMeter,
    watch: Duration,
    events: Events,
    /// Whether it was told that the database is gone.
    gone: bool,
}

impl Writer {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        counters: Arc<Counters>,
        options: &StoreOptions,
    ) -> Self {
        let (watch, events) = (options.watch, options.events.clone());
        let commits = options.commits.clone();
        Self { backend, counters, commits, watch, events, gone: false }
    }

    /// Writes until nobody can send a job any more.
    pub(super) fn run(&mut self, jobs: &Receiver<Job>) {
        loop {
            match jobs.recv_timeout(self.watch) {
                Ok(first) => self.write(Batch::new(first, jobs)),
                // Whoever watches the server is told by an event.
                Err(RecvTimeoutError::Timeout) => {
                    let there = self.backend.is_there();
                    self.note(&there);
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn write(&mut self, mut batch: Batch<'_>) {
        let begun = Instant::now();
        let written = self.backend.append(&mut batch);
        self.note(&written);
        let results = match written {
            Ok(written) => {
                count(&self.counters, &written);
                self.commits.committed(written.len(), begun.elapsed());
                written
            }
            Err(error) => vec![Err(error); batch.len()],
        };
        self.counters.answered.fetch_add(results.len() as u64, Relaxed);
        answer(batch.into_replies().zip(results));
    }

    /// Tells once that the database is gone, and once that it is back.
    fn note<T>(&mut self, result: &Result<T, StoreError>) {
        let gone = result.as_ref().err().filter(|error| error.is_gone());
        match gone {
            Some(error) if !self.gone => {
                self.events.tell(&ServerEvent::DatabaseGone(error.clone()));
            }
            // Another failure does not show that it is there.
            None if self.gone && result.is_ok() => {
                let path = self.backend.path().to_owned();
                self.events.tell(&ServerEvent::DatabaseBack { path });
            }
            _ => return,
        }
        self.gone = gone.is_some();
    }
}

fn count(counters: &Counters, written: &Written) {
    let number = |of| written.iter().flatten().filter(|&&done| done == of).count() as u64;
    let stored = number(Done::Stored);
    counters.stored.fetch_add(stored, Relaxed);
    counters.repeated.fetch_add(number(Done::Repeated), Relaxed);
    counters.commits.fetch_add(u64::from(stored > 0), Relaxed);
}
