//! A tokio task that drives a reporter, over an async transport.
//!
//! ```no_run
//! use std::time::{Duration, Instant, SystemTime};
//!
//! use usage_reporter::{Config, Host, Reporter, State, tokio};
//!
//! # async fn run(host: impl Host, client: usage_reqwest::Client, state: State, seed: [u8; 32])
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
//! The task sends by itself; the host collects and stores on the runtime's threads for blocking
//! work, so neither a slow disk nor a slow question to a database holds the runtime up. A collector
//! that has to await something can use [`Handle::block_on`](::tokio::runtime::Handle::block_on)
//! there.
//!
//! What is in flight when the deadline of [`Handle::shutdown`] passes is cancelled. The task ends
//! with its runtime, too.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::tokio::sync::{Notify, watch};
use ::tokio::task::{JoinHandle, spawn_blocking};
use ::tokio::{runtime, select, time};
use bytes::Bytes;
use http::{Request, Response};
use usage_proto::TransportError;

use crate::driver::{self, Clock, Driver, Handle, Host, Panicked, Shared, SpawnError, caught};
use crate::report::Encoded;
use crate::{Action, AttemptId, Reporter, Snapshot, Status};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Outcome = Result<Response<Bytes>, TransportError>;

/// The task of [`spawn`], as its [`Handle`] knows it.
#[derive(Debug)]
pub struct Task {
    woken: Notify,
    /// Closed when the task has ended.
    ended: watch::Receiver<()>,
}

/// Drives `reporter` on a task of the runtime that this is called in. `transport` sends one request
/// and gives the answer, as the `execute` of an adapter does; it has deadlines of its own.
///
/// # Errors
///
/// [`SpawnError::Off`] where the host's [`Consent`](crate::Consent) is off, and
/// [`SpawnError::Runtime`] outside of a runtime, or in one without a timer.
pub fn spawn<T, F, H>(reporter: Reporter, transport: T, host: H) -> Result<Handle<Task>, SpawnError>
where
    T: FnMut(Request<Bytes>) -> F + Send + 'static,
    F: Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'static,
    H: Host,
{
    let runtime = runtime::Handle::try_current().map_err(|_| SpawnError::Runtime)?;
    // tokio has no other way to ask for the timer than to make one, which panics without.
    caught(|| drop(time::sleep(Duration::ZERO))).map_err(|_| SpawnError::Runtime)?;
    let (ending, ended) = watch::channel(());
    let shared = driver::share(reporter, &host, Task { woken: Notify::new(), ended })?;
    let running = Running {
        shared: Arc::clone(&shared),
        transport,
        host: Arc::new(host),
        request: None,
        collecting: None,
    };
    runtime.spawn(async move {
        let _ending = ending;
        running.run().await;
    });
    Ok(Handle::new(shared))
}

struct Running<T, H> {
    shared: Arc<Shared<Task>>,
    transport: T,
    host: Arc<H>,
    request: Option<InFlight>,
    collecting: Option<JoinHandle<Result<Encoded, BoxError>>>,
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
        self.shared.announce(&*self.host);
        loop {
            match self.shared.next() {
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
                Action::Stopped => return,
            }
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
                Some(task) => task.await,
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
        self.collecting = Some(spawn_blocking(move || driver::collect(&*host, &api)));
    }

    async fn store(&mut self, snapshot: Snapshot) {
        let host = Arc::clone(&self.host);
        let stored = spawn_blocking(move || driver::store(&*host, snapshot)).await;
        self.shared.stored(stored.unwrap_or_else(|error| Err(error.into())));
    }
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
    /// Takes no more reports, sends what waits as far as the time allows, and waits for the task to
    /// end, `limit` at the most. Afterwards no attempt starts, and with a `limit` of zero none
    /// starts from now on; a request that is in flight then is cancelled by the task.
    ///
    /// The status tells how it stood at the end: what is [`pending`](Status::pending) then is
    /// given up. In a reporter whose [phase](Status::phase) is
    /// [`Stopped`](crate::Phase::Stopped), nothing is.
    pub async fn shutdown(&self, limit: Duration) -> Status {
        let deadline = self.shared().close(limit);
        let mut ended = self.shared().driver.ended.clone();
        // An error says that the other end is gone: so is the task.
        let gone = async { while ended.changed().await.is_ok() {} };
        let _ = time::timeout_at(deadline.into(), gone).await;
        self.status()
    }
}

impl Driver for Task {}

impl Clock for Task {
    /// The clock of the runtime, which a test may hold.
    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }

    fn wake(&self) {
        self.woken.notify_one();
    }
}
