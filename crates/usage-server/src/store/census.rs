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
use crate::event::{Events, ServerEvent};

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
    pub(super) events: Events,
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
                Taker { counted, stopped, rest, is_complete: false, is_told: false }.run();
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
    Failed(StoreError),
}

impl From<StoreError> for Cut {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

struct Taker {
    counted: Counted,
    stopped: Receiver<()>,
    rest: Duration,
    /// Whether all reports were counted once: before, their number would be wrong.
    is_complete: bool,
    /// Whether it was told that it does not work.
    is_told: bool,
}

impl Taker {
    fn run(mut self) {
        loop {
            match self.round() {
                Ok(()) => self.is_told = false,
                Err(Cut::Stopped) => break,
                Err(Cut::Failed(error)) => {
                    // What was true a minute ago need not be.
                    self.counted.figures.set(None);
                    self.tell(error);
                }
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

    /// That the database is gone is told by those who store reports in it.
    fn tell(&mut self, error: StoreError) {
        if !self.is_told && !error.is_gone() {
            self.is_told = true;
            self.counted.events.tell(&ServerEvent::NotCounted(error));
        }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use crate::event::{Events, ServerEvent};
    use crate::store::database::Database;
    use crate::store::{Store, StoreOptions};

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn what_cannot_be_counted_is_told_once_and_tried_again() {
        let (events, told) = channel();
        let tell = move |event: &ServerEvent| drop(events.send(event.clone()));
        let options = StoreOptions {
            census: Some(Duration::from_millis(1)),
            events: Events(Some(Arc::new(tell))),
            ..StoreOptions::default()
        };
        let store = Store::open_with(&Database::temporary(), &options).unwrap();
        let until = |happened: &dyn Fn() -> bool| {
            let begun = Instant::now();
            while !happened() {
                assert!(begun.elapsed() < PATIENCE);
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        until(&|| store.figures().is_some());
        let connection = Connection::open(store.path()).unwrap();
        connection.execute_batch("ALTER TABLE tally RENAME TO elsewhere").unwrap();
        let event = told.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(event, ServerEvent::NotCounted(_)), "{event:?}");
        assert!(event.to_string().contains("no such table"), "{event}");
        until(&|| store.figures().is_none());
        connection.execute_batch("ALTER TABLE elsewhere RENAME TO tally").unwrap();
        until(&|| store.figures().is_some());
        drop(store);
        assert!(told.try_recv().is_err(), "it is told once");
    }
}
