//! A host whose every step a test can see and hold up.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use usage_proto::{Usage, UsageData};
use usage_reporter::{Consent, Host, LastSent, State};

type BoxError = Box<dyn Error + Send + Sync>;
type Collect = dyn Fn(u64) -> Result<Usage, BoxError> + Send + Sync;
type WallNow = dyn Fn() -> SystemTime + Send + Sync;
type StoreLastSent = dyn Fn(&LastSent) -> Result<(), BoxError> + Send + Sync;
type Store = dyn Fn(&State) -> Result<(), BoxError> + Send + Sync;

/// Longer than anything takes, so that a broken test fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct TestHost {
    product: &'static str,
    consent: Consent,
    collect: Box<Collect>,
    store: Box<Store>,
    collected: Mutex<u64>,
    wall_now: Box<WallNow>,
    store_last_sent: Box<StoreLastSent>,
    /// Gone with the host.
    _alive: Sender<()>,
}

/// What is left of a host in the test.
pub(crate) struct Alive(Receiver<()>);

impl Alive {
    /// Whether the driver has dropped the host.
    pub(crate) fn is_over(&self) -> bool {
        self.0.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected)
    }

    /// Waits until the driver has dropped the host.
    pub(crate) fn wait_for_end(&self) {
        let end = self.0.recv_timeout(PATIENCE);
        assert_eq!(end, Err(RecvTimeoutError::Disconnected), "the driver lives");
    }
}

impl TestHost {
    /// A host that is asked for numbers and gives the count of the questions.
    pub(crate) fn new() -> (Self, Alive) {
        let (alive, end) = channel();
        let host = Self {
            product: "influxdb",
            consent: Consent::resolve(Some(true), "INFLUXDB_USAGE_REPORTING", |_| None::<String>),
            collect: Box::new(|count| Ok(numbers(count))),
            store: Box::new(|_| Ok(())),
            collected: Mutex::new(0),
            wall_now: Box::new(system_time),
            store_last_sent: Box::new(|_| Ok(())),
            _alive: alive,
        };
        (host, Alive(end))
    }

    pub(crate) fn consent(self, consent: Consent) -> Self {
        Self { consent, ..self }
    }

    /// A name that panics if it is empty.
    pub(crate) fn product(self, product: &'static str) -> Self {
        Self { product, ..self }
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

    pub(crate) fn on_store_last_sent(
        self,
        store: impl Fn(&LastSent) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self { store_last_sent: Box::new(store), ..self }
    }

    pub(crate) fn on_wall_now(
        self,
        wall_now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self { wall_now: Box::new(wall_now), ..self }
    }
}

#[expect(clippy::disallowed_methods, reason = "a host has a clock")]
pub(crate) fn system_time() -> SystemTime {
    SystemTime::now()
}

impl Host for TestHost {
    type Usage = Usage;

    fn product(&self) -> &str {
        assert!(!self.product.is_empty(), "a host without a name");
        self.product
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

    fn wall_now(&self) -> SystemTime {
        (self.wall_now)()
    }

    fn store(&self, state: &State) -> Result<(), BoxError> {
        (self.store)(state)
    }

    fn store_last_sent(&self, sent: &LastSent) -> Result<(), BoxError> {
        (self.store_last_sent)(sent)
    }
}

pub(crate) fn numbers(count: u64) -> Usage {
    Usage::new("influxdb").data(UsageData::new().value("n", count))
}

/// A door that a test opens. One that nobody opens in time has failed the test.
#[derive(Clone)]
pub(crate) struct Gate {
    arrived: Sender<()>,
    open: Arc<Mutex<Receiver<()>>>,
    forgotten: Arc<AtomicBool>,
}

/// The test's side of a [`Gate`].
pub(crate) struct Keeper {
    arrived: Receiver<()>,
    open: Sender<()>,
    forgotten: Arc<AtomicBool>,
}

impl Gate {
    pub(crate) fn new() -> (Self, Keeper) {
        let (arrived, seen) = channel();
        let (open, opened) = channel();
        let forgotten = Arc::new(AtomicBool::new(false));
        let keeper = Keeper { arrived: seen, open, forgotten: Arc::clone(&forgotten) };
        (Self { arrived, open: Arc::new(Mutex::new(opened)), forgotten }, keeper)
    }

    /// Waits until the test lets one through, or has gone.
    pub(crate) fn pass(&self) {
        let _ = self.arrived.send(());
        let opened = self.open.lock().unwrap().recv_timeout(PATIENCE);
        if opened == Err(RecvTimeoutError::Timeout) {
            self.forgotten.store(true, Ordering::SeqCst);
        }
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

impl Drop for Keeper {
    fn drop(&mut self) {
        let forgotten = self.forgotten.load(Ordering::SeqCst);
        assert!(!forgotten || thread::panicking(), "somebody waited at the gate for too long");
    }
}

/// What `call` gives. If it does not return, the tests end there: nothing else ends a thread.
#[expect(clippy::print_stderr, reason = "nothing else is left to say it with")]
pub(crate) fn promptly<R: Send>(call: impl FnOnce() -> R + Send) -> R {
    let (tell, told) = channel();
    thread::scope(|scope| {
        scope.spawn(move || tell.send(call()).unwrap());
        let result = told.recv_timeout(PATIENCE / 3);
        // Whatever hangs would hold the scope, too.
        result.unwrap_or_else(|_| {
            eprintln!("the call does not return");
            std::process::abort()
        })
    })
}
