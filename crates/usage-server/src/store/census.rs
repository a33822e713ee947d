//! The thread that counts beside the writer: reports, by slices, and what was refused. What it finds is
//! there for whoever asks, who then asks no database.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::backend::Backend;
use super::error::StoreError;
use super::figures::LatestFigures;
use super::refusals::PendingRefusals;
use crate::ended::Ended;

/// How long the thread rests when everything is counted.
pub(super) const REST: Duration = Duration::from_secs(60);

/// How many reports are counted in one transaction. Where one server has the database, reports wait for
/// it.
const SLICE: usize = 5000;

/// After each slice it waits for so many times as long as that took.
const PAUSES: u32 = 9;

/// How long the last store waits for the thread when it goes: for what was refused to be stored.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// What it counts, and where that is seen.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) refusals: Arc<PendingRefusals>,
    pub(super) figures: Arc<LatestFigures>,
}

/// The thread, which ends with this.
#[derive(Debug)]
pub(super) struct Census {
    /// Taken when the store closes.
    stop: Option<SyncSender<()>>,
    ended: Ended,
}

impl Census {
    pub(super) fn start(counted: Counted, rest: Duration) -> Result<Self, StoreError> {
        let (stop, stopped) = sync_channel(0);
        let (running, ended) = Ended::new();
        let path = counted.backend.path().to_owned();
        std::thread::Builder::new()
            .name("usage-server-census".to_owned())
            .spawn(move || {
                Taker { counted, stopped, rest, is_complete: false }.run();
                drop(running);
            })
            .map_err(|error| StoreError::Open { path, source: Arc::new(error) })?;
        Ok(Self { stop: Some(stop), ended })
    }
}

impl Drop for Census {
    fn drop(&mut self) {
        self.stop = None;
        self.ended.wait(CLOSE_WAIT);
    }
}

/// Why a round did not come to its end.
enum Cut {
    /// The store closes.
    Stopped,
    Failed,
}

impl From<StoreError> for Cut {
    /// What is wrong with the database is told by those who store reports in it.
    fn from(_: StoreError) -> Self {
        Self::Failed
    }
}

struct Taker {
    counted: Counted,
    stopped: Receiver<()>,
    rest: Duration,
    /// Whether all reports were counted once: before, their number would be wrong.
    is_complete: bool,
}

impl Taker {
    fn run(mut self) {
        loop {
            match self.round() {
                Ok(()) => {}
                Err(Cut::Stopped) => break,
                // What was true a minute ago need not be.
                Err(Cut::Failed) => self.counted.figures.set(None),
            }
            if self.wait(self.rest).is_err() {
                break;
            }
        }
        // Where this fails there is nobody left to try it again.
        drop(self.counted.refusals.store(&*self.counted.backend));
    }

    fn round(&mut self) -> Result<(), Cut> {
        let Counted { backend, refusals, .. } = self.counted.clone();
        refusals.store(&*backend)?;
        if !self.is_complete {
            self.look()?;
        }
        loop {
            let begun = Instant::now();
            if !backend.count_on(SLICE)? {
                break;
            }
            self.wait(begun.elapsed() * PAUSES)?;
        }
        self.is_complete = true;
        self.look()
    }

    fn look(&self) -> Result<(), Cut> {
        let mut figures = self.counted.backend.figures()?;
        figures.reports = figures.reports.filter(|_| self.is_complete);
        self.counted.figures.set(Some(figures));
        Ok(())
    }

    /// Waits, but not longer than the store is open.
    fn wait(&self, time: Duration) -> Result<(), Cut> {
        match self.stopped.recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Cut::Stopped),
        }
    }
}
