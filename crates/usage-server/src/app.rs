use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::buckets::Buckets;
use crate::commit_meter::CommitMeter;
use crate::config::Config;
use crate::event::ServerEvent;
use crate::forget::ForgetTurn;
use crate::json_thread::JsonThread;
use crate::meters::Meters;
use crate::store::Store;
use crate::terms::Terms;
use crate::variety::{Overflow, SeenToday};

/// How many characters of a product's name are repeated.
pub(crate) const SHOWN: usize = 64;

/// What every request can reach.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) json: JsonThread,
    pub(crate) meters: Meters,
    terms: RwLock<Arc<Terms>>,
    pub(crate) by_address: Buckets<Option<IpAddr>>,
    pub(crate) by_token: Buckets<i64>,
    pub(crate) seen: SeenToday,
    pub(crate) forget_turn: ForgetTurn,
    stopping: AtomicBool,
}

impl App {
    pub(crate) fn new(
        store: Store,
        config: Config,
        json: JsonThread,
        commits: &CommitMeter,
    ) -> Self {
        let meters = Meters::new(store.clone(), config.retention, commits);
        let terms = RwLock::new(Arc::new(config.terms.clone()));
        let now = Instant::now();
        let (by_address, by_token) = (Buckets::new(now), Buckets::new(now));
        let (seen, forget_turn, stopping) = Default::default();
        Self {
            store,
            config,
            json,
            meters,
            terms,
            by_address,
            by_token,
            seen,
            forget_turn,
            stopping,
        }
    }

    /// Those of this moment. Whoever begins under them goes on under them.
    pub(crate) fn terms(&self) -> Arc<Terms> {
        self.terms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_terms(&self, terms: Terms) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(terms);
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

    pub(crate) fn tell_overflow(&self, product: &str, overflow: Overflow) {
        self.meters.overflowed(overflow);
        if overflow.is_first {
            let product = product.chars().take(SHOWN).collect();
            self.config.events.tell(&ServerEvent::TooVaried { product });
        }
    }

    /// From now on no new request is wanted.
    pub(crate) fn stops(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
