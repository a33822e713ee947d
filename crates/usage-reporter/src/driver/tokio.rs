//! A tokio task that drives a reporter, over an async transport.
//!
//! ```no_run
//! use std::time::{Duration, Instant, SystemTime};
//!
//! use usage_reporter::{Config, Host, Reporter, Seed, State, tokio};
//!
//! # async fn run(host: impl Host, client: usage_reqwest::Client, state: State, seed: Seed)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let api = client.api().clone();
//! let reporter =
//!     Reporter::new(Config::new(), api, state, seed, Instant::now(), SystemTime::now())?;
//! let handle = tokio::spawn(reporter, move |request| client.execute(request), host)?;
//!
//! // … the program does what it is for …
//!
//! handle.shutdown(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```
//!
//! The task sends by itself. The host collects and stores on a thread called `usage-reporter-host`,
//! which lives for as long as the call: neither a slow disk nor a slow question to a database holds
//! the runtime up, and a call that never returns does not keep a runtime from being dropped, as one
//! of the runtime's own threads would. The runtime's context is there: a collector that has to
//! await something can use [`Handle::block_on`](::tokio::runtime::Handle::block_on).
//!
//! A process that forks spawns after that, as it has to for its runtime: in a child a handle is closed.
//!
//! What is in flight when the deadline of [`Handle::shutdown`] passes is cancelled. The task ends
//! with its runtime, too.
//!
//! The clock is the runtime's. Where a test has paused it, tokio lets time jump whenever all tasks
//! wait, and does not know of the host's thread: the time that the host has to collect may be over
//! at once. A test of a schedule drives the [`Reporter`] itself.

#![expect(clippy::disallowed_types, reason = "a driver has a thread for its host")]

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ::tokio::sync::{Notify, oneshot, watch};
use ::tokio::{runtime, select, time};
use bytes::Bytes;
use http::{Request, Response};
use usage_proto::TransportError;

use super::guard::{Panicked, caught};
use super::handle::{Driver, Handle};
use super::host::Host;
use super::shared::{Clock, Shared, collect, store};
use super::spawn_error::SpawnError;
use crate::action::{Action, AttemptId};
use crate::machine::Reporter;
use crate::machine::report::Encoded;
use crate::state::snapshot::Snapshot;
use crate::status::{Phase, Status};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Outcome = Result<Response<Bytes>, TransportError>;

/// The task of [`spawn`], as its [`Handle`] knows it.
#[derive(Debug)]
pub struct Task {
    woken: Notify,
    changed: Notify,
    /// Closed when the task has ended.
    ended: watch::Receiver<()>,
}

/// Drives `reporter` on a task of the runtime that this is called in. `transport` sends one request
/// and gives the answer, as the `execute` of an adapter does; it has deadlines of its own.
///
/// # Errors
///
/// [`SpawnError::Off`] where the host's [`Consent`](crate::Consent) is off, and
/// [`SpawnError::Runtime`] outside of a runtime, or in one without a timer. There is no way to ask
/// for a timer but to make one, which panics: the panic hook hears of it before the error is here.
pub fn spawn<T, F, H>(reporter: Reporter, transport: T, host: H) -> Result<Handle<Task>, SpawnError>
where
    T: FnMut(Request<Bytes>) -> F + Send + 'static,
    F: Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'static,
    H: Host,
{
    let runtime = runtime::Handle::try_current().map_err(|_| SpawnError::Runtime)?;
    caught(|| drop(time::sleep(Duration::ZERO))).map_err(|_| SpawnError::Runtime)?;
    let (end, ended) = watch::channel(());
    let shared = Shared::new(reporter, &host, Task::new(ended))?;
    let running = Running {
        shared: Arc::clone(&shared),
        transport,
        host: Arc::new(host),
        request: None,
        collecting: None,
    };
    let ending = Ending { shared: Arc::clone(&shared), _end: end };
    runtime.spawn(Driven { running, ending }.run());
    Ok(Handle::new(shared))
}

/// All of the task. Whoever is told of its end finds the host gone, and with it its files: however
/// this is dropped, `ending` is the last to go.
struct Driven<T, H> {
    running: Running<T, H>,
    ending: Ending,
}

impl<T, F, H> Driven<T, H>
where
    T: FnMut(Request<Bytes>) -> F,
    F: Future<Output = Outcome> + Send + 'static,
    H: Host,
{
    async fn run(self) {
        let _ending = self.ending;
        let running = self.running;
        // A host that cannot even say its name has told the panic hook why.
        if running.shared.announce(&*running.host).is_ok() {
            running.run().await;
        }
    }
}

/// Tells that the task has ended, however it did, such as with its runtime.
struct Ending {
    shared: Arc<Shared<Task>>,
    _end: watch::Sender<()>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}

struct Running<T, H> {
    shared: Arc<Shared<Task>>,
    transport: T,
    host: Arc<H>,
    request: Option<InFlight>,
    /// The thread that the host collects on, until it has the numbers.
    collecting: Option<oneshot::Receiver<Result<Encoded, BoxError>>>,
}

/// A request whose answer is awaited. Dropped, it is cancelled.
struct InFlight {
    id: AttemptId,
    answer: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl<T, F, H> Running<T, H>
where
    T: FnMut(Request<Bytes>) -> F,
    F: Future<Output = Outcome> + Send + 'static,
    H: Host,
{
    async fn run(mut self) {
        let mut clocks = self.shared.clocks(&*self.host);
        loop {
            match self.shared.next(&*self.host, &mut clocks) {
                Action::Collect => self.collect(),
                Action::Persist(snapshot) => self.store(snapshot).await,
                Action::Send(attempt) => {
                    let transport = &mut self.transport;
                    let answer = caught(|| transport(attempt.request)).map(Box::pin);
                    let answer = Box::pin(guarded(answer));
                    self.request = Some(InFlight { id: attempt.id, answer });
                }
                Action::Wait(until) => self.wait(until).await,
                // `next` has written it.
                Action::Event(_) => {}
                Action::Stopped => break,
            }
        }
        // Cancels it.
        self.request = None;
        // The host lives until it has returned. Who does not want to wait for that does not.
        if let Some(collecting) = self.collecting {
            let _ = collecting.await;
        }
    }

    /// Until something happens, or `until`.
    async fn wait(&mut self, until: Instant) {
        let request = async {
            match &mut self.request {
                Some(InFlight { id, answer }) => (*id, answer.await),
                None => std::future::pending().await,
            }
        };
        let collecting = async {
            match &mut self.collecting {
                Some(numbers) => numbers.await,
                None => std::future::pending().await,
            }
        };
        select! {
            () = self.shared.driver.woken.notified() => {}
            (id, outcome) = request => {
                self.request = None;
                self.shared.answered(id, outcome);
            }
            numbers = collecting => {
                self.collecting = None;
                self.shared.collected(numbers.unwrap_or_else(|error| Err(error.into())));
            }
            () = time::sleep_until(until.into()) => {}
        }
    }

    /// A collector that did not come back from the last time is not called again.
    fn collect(&mut self) {
        if self.collecting.is_some() {
            self.shared.collected(Err(StillCollecting.into()));
            return;
        }
        let (host, api) = (Arc::clone(&self.host), self.shared.api());
        match aside(move || collect(&*host, &api)) {
            Ok(numbers) => self.collecting = Some(numbers),
            Err(error) => self.shared.collected(Err(error)),
        }
    }

    async fn store(&mut self, snapshot: Snapshot) {
        if matches!(self.shared.status().phase, Phase::Stopped) {
            // Nobody waits for it any more: the last state is no reason to go on with it.
            self.request = None;
        }
        let host = Arc::clone(&self.host);
        let stored = match aside(move || store(&*host, snapshot)) {
            Ok(stored) => stored.await.unwrap_or_else(|error| Err(error.into())),
            Err(error) => Err(error),
        };
        self.shared.stored(stored);
    }
}

/// Runs a call of the host's on a thread of its own.
fn aside<R: Send + 'static>(
    call: impl FnOnce() -> R + Send + 'static,
) -> Result<oneshot::Receiver<R>, BoxError> {
    let (tell, result) = oneshot::channel();
    let runtime = runtime::Handle::current();
    let run = move || {
        let _context = runtime.enter();
        // Nobody listens any more if the task has ended with its runtime.
        let _ = tell.send(call());
    };
    thread::Builder::new().name("usage-reporter-host".to_owned()).spawn(run)?;
    Ok(result)
}

/// The numbers that were asked for the last time are not there yet.
#[derive(Debug, thiserror::Error)]
#[error("the last call of `collect` has not returned")]
struct StillCollecting;

/// A request whose panic is a failure.
async fn guarded<F: Future<Output = Outcome>>(request: Result<Pin<Box<F>>, Panicked>) -> Outcome {
    let mut request = request.map_err(TransportError::other)?;
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| request.as_mut().poll(context)))
            .unwrap_or_else(|panic| Err(TransportError::other(Panicked::new(panic))).into())
    })
    .await
}

impl Handle<Task> {
    /// Takes no more reports, asks for numbers if usage is due, sends what waits as far as the time
    /// allows, and waits for the task to end, `limit` at the most. Once the time is over no attempt
    /// starts, and the task cancels the one that is in flight. Where the task has ended, the host is
    /// gone, and its files with it.
    ///
    /// The status tells how it stood at the end: what is [`pending`](Status::pending) then is
    /// given up. In a reporter whose [phase](Status::phase) is
    /// [`Stopped`](crate::Phase::Stopped), nothing is.
    pub async fn shutdown(&self, limit: Duration) -> Status {
        let Some(shared) = self.shared() else { return self.status() };
        let deadline = shared.close(limit);
        let mut ended = shared.driver.ended.clone();
        // An error says that the other end is gone: so is the task.
        let gone = async { while ended.changed().await.is_ok() {} };
        let _ = time::timeout_at(deadline.into(), gone).await;
        self.status()
    }
}

impl Handle<Task> {
    /// Sends what waits, without the spread of a start, and waits until all of it was sent or lost and
    /// the state is stored; `limit` at the most. Tells whether nothing is left. It returns sooner
    /// where nothing more can happen by then, as in a pause that the API has asked for.
    ///
    /// Usage is part of it if [`report_now`](Self::report_now) has asked for it. The reporter goes on.
    pub async fn flush(&self, limit: Duration) -> bool {
        let Some(shared) = self.shared() else { return true };
        let deadline = shared.hurry(limit);
        shared.driver.wait_for(deadline, || shared.flushed(deadline)).await.unwrap_or(false)
    }

    /// Waits until `condition` holds, `limit` at the most, and tells whether it does. It is asked now
    /// and at each change of the status, and must be quick. A reporter that has stopped is not waited
    /// for.
    pub async fn wait_until(
        &self,
        mut condition: impl FnMut(&Status) -> bool,
        limit: Duration,
    ) -> bool {
        let Some(shared) = self.shared() else { return condition(&self.status()) };
        let deadline = shared.deadline(limit);
        shared.driver.wait_for(deadline, || shared.met(&mut condition)).await.unwrap_or(false)
    }
}

impl Task {
    fn new(ended: watch::Receiver<()>) -> Self {
        Self { woken: Notify::new(), changed: Notify::new(), ended }
    }

    /// What `probe` finds, which is asked at each change until `deadline`.
    async fn wait_for<R>(
        &self,
        deadline: Instant,
        mut probe: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        let found = async {
            loop {
                let mut changed = pin!(self.changed.notified());
                // From here on a change is not missed.
                changed.as_mut().enable();
                if let Some(found) = probe() {
                    return found;
                }
                changed.await;
            }
        };
        time::timeout_at(deadline.into(), found).await.ok()
    }
}

impl Driver for Task {}

impl Clock for Task {
    /// The clock of the runtime, which is not always the system's.
    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }

    fn wake(&self) {
        self.woken.notify_one();
        Clock::changed(self);
    }

    fn changed(&self) {
        self.changed.notify_waiters();
    }
}
