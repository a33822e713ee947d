//! The thread that prunes: slice by slice, with pauses, so that no report waits for it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use super::backend::Backend;
use super::erasure::SLICE;
use super::error::StoreError;
use super::instance::hex;
use super::kind::Kind;
use super::metrics::Counters;
use super::retention::Retention;
use super::target::Target;
use super::time_text::time_text;
use crate::ended::Ended;
use crate::event::{Events, ServerEvent};

/// How long the thread rests when everything is pruned.
const REST: Duration = Duration::from_secs(60);

/// After each slice it waits for so many times as long as that took: it has a tenth of the time.
const PAUSES: u32 = 9;

/// The shortest pause. Writers that wait poll for the lock in milliseconds.
const PAUSE: Duration = Duration::from_millis(5);

/// How long pruning may go on without coming to an end.
const BEHIND: Duration = Duration::from_secs(60 * 60);

/// For how long one server has the upkeep of a database to itself.
const LEASE: Duration = Duration::from_secs(120);

/// How long the last store waits for a slice to end when it goes.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// What is to be done, and how often.
#[derive(Debug, Clone)]
pub(super) struct UpkeepOptions {
    pub(super) retention: Retention,
    pub(super) rest: Duration,
    pub(super) behind: Duration,
    pub(super) events: Events,
}

impl UpkeepOptions {
    pub(super) fn new(retention: Retention, events: Events) -> Self {
        Self { retention, rest: REST, behind: BEHIND, events }
    }
}

/// The thread, which ends with this.
#[derive(Debug)]
pub(super) struct Upkeep {
    /// Taken when the store closes.
    stop: Option<SyncSender<()>>,
    ended: Ended,
}

impl Upkeep {
    pub(super) fn start(
        backend: Arc<dyn Backend>,
        counters: Arc<Counters>,
        options: UpkeepOptions,
    ) -> Result<Self, StoreError> {
        let (stop, stopped) = sync_channel(0);
        let (running, ended) = Ended::new();
        let path = backend.path().to_owned();
        let holder = random_name()?;
        std::thread::Builder::new()
            .name("usage-server-upkeep".to_owned())
            .spawn(move || {
                let mut keeper = Keeper {
                    backend,
                    counters,
                    options,
                    stopped,
                    holder,
                    held: None,
                    keyless: 0,
                    failed: false,
                    unfinished: None,
                    is_told: false,
                };
                keeper.run();
                keeper.let_go();
                drop(keeper);
                drop(running);
            })
            .map_err(|error| StoreError::Open { path, source: Arc::new(error) })?;
        Ok(Self { stop: Some(stop), ended })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.stop = None;
        self.ended.wait(CLOSE_WAIT);
    }
}

/// Why a pass did not come to its end.
enum Cut {
    /// The store closes.
    Stopped,
    /// Another server does it.
    Elsewhere,
    Failed(StoreError),
}

impl From<StoreError> for Cut {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

struct Keeper {
    backend: Arc<dyn Backend>,
    counters: Arc<Counters>,
    options: UpkeepOptions,
    stopped: Receiver<()>,
    /// What this server is called where servers share a database.
    holder: String,
    /// When it last had the upkeep to itself.
    held: Option<Instant>,
    /// Up to which position no report has a key any more.
    keyless: i64,
    /// Whether it was told that it does not work.
    failed: bool,
    /// Since when there was no pass that came to its end, one that fails included.
    unfinished: Option<Instant>,
    /// Whether it was told that this is for too long.
    is_told: bool,
}

impl Keeper {
    fn run(&mut self) {
        loop {
            match self.pass() {
                Ok(()) => {
                    self.failed = false;
                    self.catch_up();
                    self.counters.pruning.finished();
                }
                Err(Cut::Stopped) => return,
                Err(Cut::Elsewhere) => self.catch_up(),
                Err(Cut::Failed(error)) => {
                    self.look_behind();
                    if !self.failed {
                        self.options.events.tell(&ServerEvent::NotPruned(error));
                    }
                    self.failed = true;
                }
            }
            if self.wait(self.options.rest).is_err() {
                return;
            }
        }
    }

    fn pass(&mut self) -> Result<(), Cut> {
        self.unfinished.get_or_insert_with(Instant::now);
        let now = SystemTime::now();
        self.hold()?;
        let retention = self.options.retention;
        let keys = retention.keys().unwrap_or(Retention::KEYS_AT_LEAST);
        // A time before 1970 is before everything that is stored.
        let before = |age| now.checked_sub(age).map(time_text);
        let [servers, stats, usage] = Kind::ALL.map(|kind| retention.of(kind).and_then(before));
        let keys_before = before(keys).unwrap_or_default();
        for product in self.backend.products()? {
            for (kind, before) in Kind::ALL.into_iter().zip([&servers, &stats, &usage]) {
                let Some(before) = before.clone() else { continue };
                let target = Target::Old { kind, product: product.clone(), before };
                self.prune(&target, kind, &keys_before)?;
            }
        }
        self.slices(|keeper| Ok(keeper.backend.forget_left_keys(&keys_before, SLICE)? > 0))?;
        if retention.keys().is_some() {
            self.slices(|keeper| {
                let looked = keeper.backend.forget_keys(&keys_before, keeper.keyless, SLICE)?;
                keeper.keyless = looked.to;
                Ok(looked.more)
            })?;
        }
        self.slices(|keeper| keeper.backend.give_back())?;
        Ok(self.backend.note_pruned(&self.holder)?)
    }

    fn prune(&mut self, target: &Target, kind: Kind, keys_before: &str) -> Result<(), Cut> {
        self.slices(|keeper| {
            let found = keeper.backend.find(target, 0, SLICE)?;
            if found.is_empty() {
                return Ok(false);
            }
            let pruned = keeper.backend.delete(&found, Some(keys_before))?;
            keeper.counters.pruning.add(kind, pruned);
            Ok(true)
        })
    }

    /// Does slices until there is nothing left.
    fn slices(
        &mut self,
        mut slice: impl FnMut(&mut Self) -> Result<bool, StoreError>,
    ) -> Result<(), Cut> {
        loop {
            let begun = Instant::now();
            if !slice(self)? {
                return Ok(());
            }
            self.wait((begun.elapsed() * PAUSES).max(PAUSE))?;
            self.look_behind();
            self.hold()?;
        }
    }

    /// Tells once if what is too old has been there for too long, for whatever reason.
    fn look_behind(&mut self) {
        let behind = self.options.behind;
        if !self.is_told && self.unfinished.is_some_and(|since| since.elapsed() >= behind) {
            self.is_told = true;
            self.counters.pruning.behind.store(true, Relaxed);
            self.options.events.tell(&ServerEvent::PruningBehind);
        }
    }

    /// Nothing that is too old is left, or it is another server's to prune.
    fn catch_up(&mut self) {
        self.unfinished = None;
        self.is_told = false;
        self.counters.pruning.behind.store(false, Relaxed);
    }

    /// Takes or keeps the upkeep of the database, of which only one server has it.
    fn hold(&mut self) -> Result<(), Cut> {
        if self.held.is_some_and(|held| held.elapsed() < LEASE / 4) {
            return Ok(());
        }
        self.held = None;
        if !self.backend.hold_upkeep(&self.holder, LEASE)? {
            return Err(Cut::Elsewhere);
        }
        self.held = Some(Instant::now());
        Ok(())
    }

    /// Leaves the upkeep to the next one at once. Where this fails, it comes to them in time.
    fn let_go(&self) {
        if self.held.is_some() {
            drop(self.backend.hold_upkeep(&self.holder, Duration::ZERO));
        }
    }

    /// Waits, but not longer than the store is open.
    fn wait(&self, time: Duration) -> Result<(), Cut> {
        match self.stopped.recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Cut::Stopped),
        }
    }
}

fn random_name() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Random { source: Arc::new(error) })?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use super::{BEHIND, Upkeep, UpkeepOptions};
    use crate::event::{Events, ServerEvent};
    use crate::store::Store;
    use crate::store::database::Database;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A store with many reports that are too old, and the options to prune it.
    fn old() -> (Store, Connection, UpkeepOptions, Receiver<ServerEvent>) {
        let store = Store::open(&Database::temporary()).unwrap();
        let connection = Connection::open(store.path()).unwrap();
        connection
            .execute_batch(
                "INSERT INTO product VALUES (1, 'p');
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 350)
                 INSERT INTO report (received_at, kind, product_id, data)
                 SELECT unixepoch('2020-01-01') * 1000, 3, 1, '[]' FROM n;",
            )
            .unwrap();
        let (events, told) = channel();
        let tell = move |event: &ServerEvent| drop(events.send(event.clone()));
        let events = Events(Some(Arc::new(tell)));
        let retention = "usage=1d".parse().unwrap();
        let rest = Duration::from_millis(1);
        (store, connection, UpkeepOptions { retention, rest, behind: BEHIND, events }, told)
    }

    fn start(store: &Store, options: UpkeepOptions) -> Upkeep {
        let (backend, counters) = (store.inner.backend.clone(), store.inner.counters.clone());
        Upkeep::start(backend, counters, options).unwrap()
    }

    fn wait_until(happened: impl Fn() -> bool) {
        let begun = Instant::now();
        while !happened() {
            assert!(begun.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn what_falls_behind_is_told() {
        let (store, _, options, told) = old();
        let upkeep = start(&store, UpkeepOptions { behind: Duration::ZERO, ..options });
        let event = told.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(event, ServerEvent::PruningBehind), "{event:?}");
        wait_until(|| store.metrics().pruned == 350 && !store.metrics().pruning_is_behind);
        drop(upkeep);
        assert_eq!(store.usage().count(), 0);
        assert!(told.try_recv().is_err(), "it is told once");
    }

    /// What fails is behind in the end, too, and is not told again with each try.
    #[test]
    fn what_fails_falls_behind() {
        let (store, connection, options, told) = old();
        connection.execute_batch("ALTER TABLE left_key RENAME TO elsewhere").unwrap();
        let upkeep = start(&store, UpkeepOptions { behind: Duration::from_millis(5), ..options });
        wait_until(|| store.metrics().pruning_is_behind);
        connection.execute_batch("ALTER TABLE elsewhere RENAME TO left_key").unwrap();
        wait_until(|| store.metrics().pruned_at > 0 && !store.metrics().pruning_is_behind);
        drop(upkeep);
        let told: Vec<_> = told.try_iter().collect();
        let behind = told.iter().filter(|event| matches!(event, ServerEvent::PruningBehind));
        // Once while it failed, and perhaps once while it was mended.
        assert!((1..=2).contains(&behind.count()), "{told:?}");
    }

    #[test]
    fn what_cannot_be_pruned_is_told_once_and_tried_again() {
        let (store, connection, options, told) = old();
        connection.execute_batch("ALTER TABLE left_key RENAME TO elsewhere").unwrap();
        let upkeep = start(&store, options);
        let event = told.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(event, ServerEvent::NotPruned(_)), "{event:?}");
        assert!(event.to_string().contains("no such table"), "{event}");
        connection.execute_batch("ALTER TABLE elsewhere RENAME TO left_key").unwrap();
        wait_until(|| store.metrics().pruned_at > 0);
        drop(upkeep);
        assert_eq!((store.metrics().pruned, store.usage().count()), (350, 0));
        assert!(told.try_recv().is_err(), "it is told once");
    }
}
