use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::Response;
use usage_proto::{Api, BuildError, Saveable, Server, TransportError};

use super::guard::{Panicked, caught};
use super::host::Host;
use super::log;
use super::spawn_error::SpawnError;
use super::suspend::{Clocks, LONGEST_WAIT};
use crate::action::{Action, AttemptId};
use crate::machine::Reporter;
use crate::machine::report::Encoded;
use crate::report_kind::ReportKind;
use crate::state::snapshot::Snapshot;
use crate::status::{Phase, Status};
use crate::submit_error::SubmitError;
use crate::time::after;

type BoxError = Box<dyn Error + Send + Sync>;

/// The clock of a driver, and the way to wake it up.
pub(crate) trait Clock {
    fn now(&self) -> Instant;

    /// Ends the current wait, or the next one if there is none. Something has changed.
    fn wake(&self);

    /// Tells whoever waits for a change of the status that there may be one.
    fn changed(&self);
}

/// A reporter between its driver and its handles. The lock is held for as long as the reporter
/// thinks, never while the host collects, encodes, stores or sends.
#[derive(Debug)]
pub(crate) struct Shared<D> {
    reporter: Mutex<Reporter>,
    pub(crate) driver: D,
    /// The process that drives it.
    process: u32,
    /// Whether a request was ever asked for.
    has_sent: AtomicBool,
}

/// # For the driver
impl<D: Clock> Shared<D> {
    /// The beginning of every driver: nothing is started where reporting is off.
    pub(super) fn new(
        reporter: Reporter,
        host: &impl Host,
        driver: D,
    ) -> Result<Arc<Self>, SpawnError> {
        let consent = host.consent();
        if !consent.is_on() {
            return Err(SpawnError::Off { consent: consent.clone() });
        }
        Ok(Arc::new(Self {
            reporter: Mutex::new(reporter),
            driver,
            process: this_process(),
            has_sent: AtomicBool::new(false),
        }))
    }

    /// The line at the start. Without it, nothing is reported.
    pub(crate) fn announce(&self, host: &impl Host) -> Result<(), Panicked> {
        let api = self.api();
        caught(|| log::started(host.product(), api.base_url(), host.consent()))
    }

    /// What the driver watches, to find out that the machine slept.
    pub(crate) fn clocks(&self, host: &impl Host) -> Clocks {
        Clocks::new(self.driver.now(), wall_now(host))
    }

    /// What is to be done next, but for the log, which is written here.
    pub(crate) fn next(&self, host: &impl Host, clocks: &mut Clocks) -> Action {
        if let Some(length) = clocks.slept(self.driver.now(), wall_now(host)) {
            self.lock().slept(self.driver.now(), length);
        }
        let action = self.next_but_events();
        self.driver.changed();
        action
    }

    fn next_but_events(&self) -> Action {
        loop {
            let now = self.driver.now();
            let action = self.lock().poll(now);
            match action {
                Action::Wait(until) => return Action::Wait(until.min(after(now, LONGEST_WAIT))),
                Action::Event(event) => log::write(&event),
                Action::Stopped => {
                    log::stopped(&self.status());
                    return Action::Stopped;
                }
                action => {
                    if matches!(action, Action::Send(_)) {
                        self.has_sent.store(true, Ordering::Relaxed);
                    }
                    return action;
                }
            }
        }
    }

    pub(crate) fn collected(&self, usage: Result<Encoded, BoxError>) {
        let mut reporter = self.lock();
        let now = self.driver.now();
        match usage.map(|usage| reporter.accept(now, usage)) {
            // Whoever closed it does not wait for them any more: the next start finds them due.
            Ok(Ok(()) | Err(SubmitError::Closed)) => {}
            Ok(Err(error)) => reporter.collect_failed(now, error),
            Err(error) => reporter.collect_failed(now, error),
        }
    }

    pub(crate) fn stored(&self, outcome: Result<(), BoxError>) {
        if let Err(error) = outcome {
            self.lock().persist_failed(self.driver.now(), error);
        }
    }

    pub(crate) fn answered(
        &self,
        attempt: AttemptId,
        outcome: Result<Response<Bytes>, TransportError>,
    ) {
        let mut reporter = self.lock();
        let now = self.driver.now();
        match outcome {
            Ok(response) => reporter.on_response(now, attempt, response),
            Err(error) => reporter.on_failure(now, attempt, error),
        }
    }
}

impl<D: Clock> Shared<D> {
    /// The driver ends, in good order or not: whoever has a handle finds the reporter closed, and
    /// not one that takes reports and never sends them.
    pub(crate) fn abandon(&self) {
        if !self.is_of_this_process() {
            return;
        }
        self.close(Duration::ZERO);
        let mut reporter = self.lock();
        while !matches!(reporter.poll(self.driver.now()), Action::Stopped | Action::Wait(_)) {}
        drop(reporter);
        self.driver.changed();
    }
}

/// # For the handles
impl<D: Clock> Shared<D> {
    pub(super) fn push_stats<P: Saveable + ?Sized>(&self, stats: &P) -> Result<(), SubmitError> {
        let report = Encoded::new(ReportKind::Stats, &self.api(), stats)?;
        self.lock().accept(self.driver.now(), report)?;
        self.driver.wake();
        Ok(())
    }

    pub(super) fn register(&self, server: &Server) -> Result<(), SubmitError> {
        let report = Encoded::new(ReportKind::Server, &self.api(), server)?;
        self.lock().accept(self.driver.now(), report)?;
        self.driver.wake();
        Ok(())
    }

    pub(super) fn report_now(&self) {
        self.lock().report_now(self.driver.now());
        self.driver.wake();
    }

    pub(super) fn change_api(
        &self,
        change: impl FnOnce(&Api) -> Result<Api, BuildError>,
    ) -> Result<(), BuildError> {
        let mut reporter = self.lock();
        let api = change(reporter.api())?;
        reporter.set_api(api);
        drop(reporter);
        self.driver.wake();
        Ok(())
    }

    /// The last handle is gone. One that was dropped by mistake, as by `let _ = spawn(…)`, would end
    /// the reporting in silence.
    pub(super) fn abandon_unused(&self) {
        let is_running = matches!(self.status().phase, Phase::Running);
        if is_running && !self.has_sent.load(Ordering::Relaxed) {
            log::dropped();
        }
        self.close(Duration::ZERO);
    }

    /// Closes the reporter, and tells until when it may still send.
    pub(crate) fn close(&self, limit: Duration) -> Instant {
        let deadline = after(self.driver.now(), limit);
        self.lock().close(deadline);
        self.driver.wake();
        deadline
    }

    /// Sends what waits without the spread of a start, and tells until when to wait for it.
    pub(crate) fn hurry(&self, limit: Duration) -> Instant {
        let now = self.driver.now();
        self.lock().hurry(now);
        self.driver.wake();
        after(now, limit)
    }

    /// Whether all that was handed in is done, once nothing more happens to it by `deadline`.
    pub(crate) fn flushed(&self, deadline: Instant) -> Option<bool> {
        let reporter = self.lock();
        reporter.is_settled(deadline).then(|| reporter.is_done())
    }

    /// Until when to wait.
    pub(crate) fn deadline(&self, limit: Duration) -> Instant {
        after(self.driver.now(), limit)
    }

    /// Whether a condition is met, once it is or can never be.
    pub(crate) fn met(&self, condition: &mut impl FnMut(&Status) -> bool) -> Option<bool> {
        let status = self.status();
        let is_met = condition(&status);
        (is_met || matches!(status.phase, Phase::Stopped)).then_some(is_met)
    }

    pub(crate) fn status(&self) -> Status {
        self.lock().status()
    }
}

impl<D> Shared<D> {
    /// Whether this is not the copy in a child that was forked.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.process == this_process()
    }

    /// The API to encode for, without the lock.
    pub(crate) fn api(&self) -> Arc<Api> {
        self.lock().shared_api()
    }

    /// A panic while the lock was held leaves nothing half done: payloads are encoded before.
    fn lock(&self) -> MutexGuard<'_, Reporter> {
        self.reporter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "a driver belongs to a process")]
fn this_process() -> u32 {
    std::process::id()
}

/// Asks the host for numbers, and encodes them.
pub(crate) fn collect(host: &impl Host, api: &Api) -> Result<Encoded, BoxError> {
    let numbers = caught(|| Ok(Encoded::new(ReportKind::Usage, api, &host.collect()?)?));
    numbers.unwrap_or_else(|panicked| Err(panicked.into()))
}

/// Has the host store the state, stamped with the wall clock.
pub(crate) fn store(host: &impl Host, snapshot: Snapshot) -> Result<(), BoxError> {
    let wall_now = wall_now(host);
    let last_sent = snapshot.last_sent(wall_now);
    let stored = caught(|| host.store(&snapshot.into_state(wall_now)));
    if let Some(last_sent) = last_sent {
        let kept = caught(|| host.store_last_sent(&last_sent));
        if let Err(error) = kept.unwrap_or_else(|panicked| Err(panicked.into())) {
            log::last_sent_not_stored(&*error);
        }
    }
    stored.unwrap_or_else(|panicked| Err(panicked.into()))
}

/// The time of day; the system's, if the host panics over it.
#[expect(clippy::disallowed_methods, reason = "a driver owns the clock")]
fn wall_now(host: &impl Host) -> SystemTime {
    caught(|| host.wall_now()).unwrap_or_else(|_| SystemTime::now())
}
