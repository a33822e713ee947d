//! A thread that drives a reporter, over a blocking transport.
//!
//! ```no_run
//! use std::time::{Duration, Instant, SystemTime};
//!
//! use usage_reporter::{Config, Host, Reporter, Seed, State, blocking};
//!
//! # fn run(host: impl Host, client: usage_ureq::Client, state: State, seed: Seed)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let api = client.api().clone();
//! let reporter =
//!     Reporter::new(Config::new(), api, state, seed, Instant::now(), SystemTime::now())?;
//! let handle = blocking::spawn(reporter, move |request| client.execute(request), host)?;
//!
//! // … the program does what it is for …
//!
//! handle.shutdown(Duration::from_secs(5));
//! # Ok(())
//! # }
//! ```
//!
//! The thread is called `usage-reporter`. It collects, stores and sends, one after the other, and
//! sleeps in between. [`spawn`] returns as soon as it runs: nothing is connected before, and a
//! host never waits for the API.
//!
//! A process that forks, as to put itself into the background, spawns after that: a child has no such
//! thread, and its copy of a handle is closed.
//!
//! A blocking call cannot be cancelled. [`Handle::shutdown`] waits until its deadline and no
//! longer: a request that is still in flight is left to its thread, which ends with it. The
//! deadlines of the transport say how long that may take. The same goes for a host that does not
//! return from a call. The end of the program waits for neither.

#![expect(clippy::disallowed_methods, reason = "a driver owns the clock and its thread")]
#![expect(clippy::disallowed_types, reason = "a driver owns its thread")]

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use usage_proto::TransportError;

use super::guard::caught;
use super::handle::{Driver, Handle};
use super::host::Host;
use super::shared::{Clock, Shared, collect, store};
use super::spawn_error::SpawnError;
use crate::action::Action;
use crate::machine::Reporter;
use crate::status::Status;

/// The thread of [`spawn`], as its [`Handle`] knows it.
#[derive(Debug, Default)]
pub struct Thread {
    signal: Mutex<Signal>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Signal {
    /// There is something to do. It stays until the thread has seen it.
    woken: bool,
    ended: bool,
    /// How often something may have changed.
    changes: u64,
}

/// Drives `reporter` on a thread of its own. `transport` sends one request and gives the answer,
/// as the `execute` of an adapter does; it has deadlines of its own.
///
/// # Errors
///
/// [`SpawnError::Off`] where the host's [`Consent`](crate::Consent) is off, and
/// [`SpawnError::Thread`] if the system gives no thread.
pub fn spawn<T, H>(reporter: Reporter, transport: T, host: H) -> Result<Handle<Thread>, SpawnError>
where
    T: FnMut(Request<Bytes>) -> Result<Response<Bytes>, TransportError> + Send + 'static,
    H: Host,
{
    let shared = Shared::new(reporter, &host, Thread::default())?;
    let ending = Ending(Arc::clone(&shared));
    thread::Builder::new()
        .name("usage-reporter".to_owned())
        .spawn(move || {
            // Dropped in the opposite order: whoever is told of the end finds the host gone, and
            // with it its files.
            let ending = ending;
            let host = host;
            let shared = &ending.0;
            // A host that cannot even say its name has told the panic hook why.
            if shared.announce(&host).is_ok() {
                run(shared, transport, &host);
            }
        })
        .map_err(SpawnError::Thread)?;
    Ok(Handle::new(shared))
}

fn run(
    shared: &Shared<Thread>,
    mut transport: impl FnMut(Request<Bytes>) -> Result<Response<Bytes>, TransportError>,
    host: &impl Host,
) {
    let mut clocks = shared.clocks(host);
    loop {
        match shared.next(host, &mut clocks) {
            Action::Collect => shared.collected(collect(host, &shared.api())),
            Action::Persist(snapshot) => shared.stored(store(host, snapshot)),
            Action::Send(attempt) => {
                let outcome = caught(|| transport(attempt.request))
                    .unwrap_or_else(|panicked| Err(TransportError::other(panicked)));
                shared.answered(attempt.id, outcome);
            }
            Action::Wait(until) => shared.driver.wait(until),
            // `next` has written it.
            Action::Event(_) => {}
            Action::Stopped => return,
        }
    }
}

impl Handle<Thread> {
    /// Takes no more reports, asks for numbers if usage is due, sends what waits as far as the time
    /// allows, and waits for the thread to end, `limit` at the most. Once the time is over no attempt
    /// starts, but for one that the thread was about to start. Where the thread has ended, the host is
    /// gone, and its files with it.
    ///
    /// The status tells how it stood at the end: what is [`pending`](Status::pending) then is
    /// given up. In a reporter whose [phase](Status::phase) is
    /// [`Stopped`](crate::Phase::Stopped), nothing is.
    #[expect(clippy::must_use_candidate, reason = "a host that ends may not care")]
    pub fn shutdown(&self, limit: Duration) -> Status {
        if let Some(shared) = self.shared() {
            let deadline = shared.close(limit);
            shared.driver.wait_for_end(deadline);
        }
        self.status()
    }
}

impl Handle<Thread> {
    /// Sends what waits, without the spread of a start, and waits until all of it was sent or lost and
    /// the state is stored; `limit` at the most. Tells whether nothing is left. It returns sooner
    /// where nothing more can happen by then, as in a pause that the API has asked for.
    ///
    /// Usage is part of it if [`report_now`](Self::report_now) has asked for it. The reporter goes on.
    #[expect(clippy::must_use_candidate, reason = "what is left goes later")]
    pub fn flush(&self, limit: Duration) -> bool {
        let Some(shared) = self.shared() else { return true };
        let deadline = shared.hurry(limit);
        shared.driver.wait_for(deadline, || shared.flushed(deadline)).unwrap_or(false)
    }

    /// Waits until `condition` holds, `limit` at the most, and tells whether it does. It is asked now
    /// and at each change of the status, and must be quick. A reporter that has stopped is not waited
    /// for.
    pub fn wait_until(&self, mut condition: impl FnMut(&Status) -> bool, limit: Duration) -> bool {
        let Some(shared) = self.shared() else { return condition(&self.status()) };
        let deadline = shared.deadline(limit);
        shared.driver.wait_for(deadline, || shared.met(&mut condition)).unwrap_or(false)
    }
}

impl Driver for Thread {}

impl Clock for Thread {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wake(&self) {
        self.lock().woken = true;
        Clock::changed(self);
    }

    fn changed(&self) {
        let mut signal = self.lock();
        signal.changes = signal.changes.wrapping_add(1);
        self.changed.notify_all();
    }
}

impl Thread {
    fn wait(&self, until: Instant) {
        let mut signal = self.wait_while(until, |signal| !signal.woken);
        signal.woken = false;
    }

    fn wait_for_end(&self, deadline: Instant) {
        drop(self.wait_while(deadline, |signal| !signal.ended));
    }

    /// What `probe` finds, which is asked at each change until `deadline`.
    fn wait_for<R>(&self, deadline: Instant, mut probe: impl FnMut() -> Option<R>) -> Option<R> {
        let mut seen = self.lock().changes;
        loop {
            if let Some(found) = probe() {
                return Some(found);
            }
            let changes = self.wait_while(deadline, |signal| signal.changes == seen).changes;
            if changes == seen {
                return None;
            }
            seen = changes;
        }
    }

    fn wait_while(
        &self,
        deadline: Instant,
        condition: impl Fn(&Signal) -> bool,
    ) -> MutexGuard<'_, Signal> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.changed
            .wait_timeout_while(self.lock(), left, |signal| condition(signal))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Two flags cannot be half written.
    fn lock(&self) -> MutexGuard<'_, Signal> {
        self.signal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells that the thread has ended, however it did.
struct Ending(Arc<Shared<Thread>>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abandon();
        let driver = &self.0.driver;
        driver.lock().ended = true;
        driver.changed.notify_all();
    }
}
