use std::sync::atomic::{AtomicBool, Ordering};

use crate::commit_meter::CommitMeter;
use crate::config::Config;
use crate::json_thread::JsonThread;
use crate::meters::Meters;
use crate::store::Store;

/// What every request can reach.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) json: JsonThread,
    pub(crate) meters: Meters,
    stopping: AtomicBool,
}

impl App {
    pub(crate) fn new(
        store: Store,
        config: Config,
        json: JsonThread,
        commits: &CommitMeter,
    ) -> Self {
        let meters = Meters::new(store.clone(), commits);
        Self { store, config, json, meters, stopping: AtomicBool::new(false) }
    }

    /// Requests whose head has arrived and whose answer is not ready.
    pub(crate) fn in_flight(&self) -> usize {
        usize::try_from(self.meters.in_flight.get()).unwrap_or_default()
    }

    pub(crate) fn request_begins(&self) {
        self.meters.in_flight.inc();
    }

    pub(crate) fn request_ends(&self) {
        self.meters.in_flight.dec();
    }

    /// From now on no new request is wanted.
    pub(crate) fn stops(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
