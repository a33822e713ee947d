//! The way to the thread that writes.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use super::StoreOptions;
use super::backend::Backend;
use super::batch::Job;
use super::error::StoreError;
use super::metrics::Counters;
use super::writer::Writer;
use crate::ended::Ended;

/// How long the last store waits for its writer when it goes. What was answered is durable before;
/// this is for the files to be closed.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// The jobs that wait, and the thread behind them.
#[derive(Debug)]
pub(super) struct WriteQueue {
    /// Taken when the store closes.
    jobs: Option<SyncSender<Job>>,
    capacity: usize,
    counters: Arc<Counters>,
    ended: Ended,
}

impl WriteQueue {
    pub(super) fn start(
        backend: Arc<dyn Backend>,
        counters: Arc<Counters>,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let capacity = options.queue;
        let (jobs, queue) = sync_channel(capacity);
        let (running, ended) = Ended::new();
        let path = backend.path().to_owned();
        let mut writer = Writer::new(backend, counters.clone(), options);
        std::thread::Builder::new()
            .name("usage-server-writer".to_owned())
            .spawn(move || {
                writer.run(&queue);
                drop(writer);
                drop(running);
            })
            .map_err(|error| StoreError::Open { path, source: Arc::new(error) })?;
        Ok(Self { jobs: Some(jobs), capacity, counters, ended })
    }

    /// Whether the thread is there.
    pub(super) fn is_running(&self) -> bool {
        !self.ended.is_over()
    }

    /// Waits for a place in the queue.
    pub(super) fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).map_err(|_| StoreError::Closed)?;
        self.counters.queued.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Takes a place in the queue, or says that there is none.
    pub(super) fn try_send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy { capacity: self.capacity },
            TrySendError::Disconnected(_) => StoreError::Closed,
        })?;
        self.counters.queued.fetch_add(1, Relaxed);
        Ok(())
    }
}

/// Lets the thread write what is queued and close the file, within bounds: what is still queued
/// here is awaited by nobody.
impl Drop for WriteQueue {
    fn drop(&mut self) {
        self.jobs = None;
        self.ended.wait(CLOSE_WAIT);
    }
}
