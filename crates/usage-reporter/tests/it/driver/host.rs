//! A host whose every step a test can see and hold up.

use std::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use usage_proto::{Usage, UsageData};
use usage_reporter::{Consent, Host, State};

type BoxError = Box<dyn Error + Send + Sync>;
type Collect = dyn Fn(u64) -> Result<Usage, BoxError> + Send + Sync;
type Store = dyn Fn(&State) -> Result<(), BoxError> + Send + Sync;

/// Longer than anything takes, so that a broken test fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct TestHost {
    consent: Consent,
    collect: Box<Collect>,
    store: Box<Store>,
    collected: Mutex<u64>,
    /// Gone with the host.
    _alive: Sender<()>,
}

/// What is left of a host in the test.
pub(crate) struct Alive(Receiver<()>);

impl Alive {
    /// Waits until the driver has dropped the host.
    pub(crate) fn wait_for_end(&self) {
        let end = self.0.recv_timeout(PATIENCE);
        assert_eq!(end, Err(std::sync::mpsc::RecvTimeoutError::Disconnected), "the driver lives");
    }
}

impl TestHost {
    /// A host that is asked for numbers and gives the count of the questions.
    pub(crate) fn new() -> (Self, Alive) {
        let (alive, end) = channel();
        let host = Self {
            consent: Consent::resolve(Some(true), "INFLUXDB_USAGE_REPORTING", |_| None),
            collect: Box::new(|count| Ok(numbers(count))),
            store: Box::new(|_| Ok(())),
            collected: Mutex::new(0),
            _alive: alive,
        };
        (host, Alive(end))
    }

    pub(crate) fn consent(self, consent: Consent) -> Self {
        Self { consent, ..self }
    }

    pub(crate) fn on_collect(
        self,
        collect: impl Fn(u64) -> Result<Usage, BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self { collect: Box::new(collect), ..self }
    }

    pub(crate) fn on_store(
        self,
        store: impl Fn(&State) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self { store: Box::new(store), ..self }
    }
}

impl Host for TestHost {
    type Usage = Usage;

    #[expect(clippy::unnecessary_literal_bound, reason = "as the trait has it")]
    fn product(&self) -> &str {
        "influxdb"
    }

    fn consent(&self) -> &Consent {
        &self.consent
    }

    fn collect(&self) -> Result<Usage, BoxError> {
        let count = {
            let mut collected = self.collected.lock().unwrap();
            *collected += 1;
            *collected
        };
        (self.collect)(count)
    }

    fn store(&self, state: &State) -> Result<(), BoxError> {
        (self.store)(state)
    }
}

pub(crate) fn numbers(count: u64) -> Usage {
    Usage::new("influxdb").data(UsageData::new().value("n", count))
}

/// A door that a test opens.
#[derive(Clone)]
pub(crate) struct Gate {
    arrived: Sender<()>,
    open: Arc<Mutex<Receiver<()>>>,
}

/// The test's side of a [`Gate`].
pub(crate) struct Keeper {
    arrived: Receiver<()>,
    open: Sender<()>,
}

impl Gate {
    pub(crate) fn new() -> (Self, Keeper) {
        let (arrived, seen) = channel();
        let (open, opened) = channel();
        let gate = Self { arrived, open: Arc::new(Mutex::new(opened)) };
        (gate, Keeper { arrived: seen, open })
    }

    /// Waits until the test lets one through, or has gone.
    pub(crate) fn pass(&self) {
        let _ = self.arrived.send(());
        let _ = self.open.lock().unwrap().recv_timeout(PATIENCE);
    }
}

impl Keeper {
    /// Waits until somebody stands before the door.
    pub(crate) fn wait(&self) {
        self.arrived.recv_timeout(PATIENCE).expect("nobody came to the gate");
    }

    /// Lets one through.
    pub(crate) fn open(&self) {
        let _ = self.open.send(());
    }
}
