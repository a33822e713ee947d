use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::Config;
use crate::json_thread::JsonThread;
use crate::store::Store;

/// What every request can reach.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) json: JsonThread,
    in_flight: AtomicUsize,
}

impl App {
    pub(crate) fn new(store: Store, config: Config, json: JsonThread) -> Self {
        Self { store, config, json, in_flight: AtomicUsize::new(0) }
    }

    /// Requests whose head has arrived and whose answer is not ready.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn request_begins(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn request_ends(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
