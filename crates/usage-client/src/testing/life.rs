//! A product in virtual time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use usage_proto::{Saveable, Server};
use usage_reporter::{Action, Consent, Host as _, LastSent, Reporter, State, SubmitError};

use crate::reporting::collect::{Collect, Plain};
use crate::reporting::host::{Numbers, Product};
use crate::reporting::preparation::prepare;
use crate::reporting::status::Status;
use crate::reporting::{Reporting, StartError};

/// The two clocks of a test, which all its lives share.
pub(super) type VirtualClock = Arc<Mutex<(Instant, SystemTime)>>;

/// A product in virtual time ([`TestApi::live`](super::TestApi::live)): from a start to a stop, or to
/// a crash if it is dropped.
///
/// A report is collected, sent and answered in no time at all. All lives of one
/// [`TestApi`](super::TestApi) share their clock: the next one starts when the last one ended.
#[must_use = "nothing happens in a life before time passes"]
pub struct Life<C> {
    consent: Consent,
    clock: VirtualClock,
    /// `None` where consent is off.
    product: Option<Alive<C>>,
}

struct Alive<C> {
    reporter: Reporter,
    client: usage_ureq::Client,
    numbers: Arc<Numbers<C, Plain>>,
    files: Product<C, Plain>,
    server: Server,
    /// To be stored when the time has passed: a disk would be most of it.
    state: Option<State>,
    last_sent: Option<LastSent>,
}

impl<C: Collect<Plain>> Life<C> {
    pub(super) fn new(
        reporting: &Reporting,
        collect: C,
        clock: VirtualClock,
    ) -> Result<Self, StartError> {
        let consent = reporting.consent();
        if !consent.is_on() {
            return Ok(Self { consent, clock, product: None });
        }
        let (now, wall_now) = *lock(&clock);
        let api = reporting.api()?;
        let client =
            usage_ureq::Client::configured(api.clone(), reporting.deadlines, |builder| builder)
                .map_err(|error| StartError::Client(error.into()))?;
        let prepared = prepare(reporting, consent.clone(), api, collect, now, wall_now)?;
        let product = Alive {
            reporter: prepared.reporter,
            client,
            numbers: prepared.numbers,
            files: prepared.product,
            server: prepared.server,
            state: None,
            last_sent: None,
        };
        Ok(Self { consent, clock, product: Some(product) })
    }

    /// Lets time pass, with all that is due in it.
    ///
    /// # Errors
    ///
    /// [`StartError::Store`] if the state could not be stored in the end.
    pub fn pass(&mut self, time: Duration) -> Result<(), StartError> {
        let mut clock = lock(&self.clock);
        let end = clock.0 + time;
        if let Some(product) = &mut self.product {
            product.live_until(end, &mut clock);
            product.store()?;
        }
        let left = end.saturating_duration_since(clock.0);
        *clock = (end, clock.1 + left);
        Ok(())
    }

    /// Stops it, as [`Running::stop`](crate::Running::stop) does, and tells how it went.
    ///
    /// # Errors
    ///
    /// [`StartError::Store`] if the state could not be stored in the end.
    pub fn stop(mut self, limit: Duration) -> Result<Status, StartError> {
        if let Some(product) = &mut self.product {
            let mut clock = lock(&self.clock);
            let end = clock.0 + limit;
            product.reporter.close(end);
            product.live_until(end, &mut clock);
            product.store()?;
        }
        Ok(self.status())
    }
}

impl<C> Life<C> {
    /// Sends statistics when time passes.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if they are not taken.
    pub fn push_stats<P: Saveable + ?Sized>(&mut self, stats: &P) -> Result<(), SubmitError> {
        let now = lock(&self.clock).0;
        self.product.as_mut().map_or(Ok(()), |alive| alive.reporter.push_stats(now, stats))
    }

    /// Makes usage due now.
    pub fn report_now(&mut self) {
        let now = lock(&self.clock).0;
        if let Some(alive) = &mut self.product {
            alive.reporter.report_now(now);
        }
    }

    /// Registers the server once more.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if it is not taken.
    pub fn register(&mut self) -> Result<(), SubmitError> {
        let now = lock(&self.clock).0;
        self.product.as_mut().map_or(Ok(()), |alive| alive.reporter.register(now, &alive.server))
    }

    /// How the reporting goes, in virtual time.
    #[must_use]
    pub fn status(&self) -> Status {
        let (now, wall_now) = *lock(&self.clock);
        match &self.product {
            Some(alive) => Status::at(&self.consent, &alive.reporter.status(), now, wall_now),
            None => Status::idle(&self.consent, "off", None),
        }
    }
}

impl<C: Collect<Plain>> Alive<C> {
    fn live_until(&mut self, end: Instant, clock: &mut (Instant, SystemTime)) {
        loop {
            let (now, wall_now) = *clock;
            match self.reporter.poll(now) {
                Action::Collect => {
                    let numbers = self
                        .numbers
                        .usage()
                        .and_then(|usage| Ok(self.reporter.submit(now, &usage)?));
                    if let Err(error) = numbers {
                        self.reporter.collect_failed(now, error);
                    }
                }
                Action::Persist(snapshot) => {
                    self.last_sent = snapshot.last_sent(wall_now).or(self.last_sent.take());
                    self.state = Some(snapshot.into_state(wall_now));
                }
                Action::Send(attempt) => match self.client.execute(attempt.request) {
                    Ok(response) => self.reporter.on_response(now, attempt.id, response),
                    Err(error) => self.reporter.on_failure(now, attempt.id, error),
                },
                Action::Event(_) => {}
                Action::Wait(until) if until <= end => {
                    let wait = until.saturating_duration_since(now);
                    *clock = (now + wait, wall_now + wait);
                }
                Action::Wait(_) | Action::Stopped => return,
            }
        }
    }

    fn store(&mut self) -> Result<(), StartError> {
        if let Some(state) = self.state.take() {
            self.files.store(&state).map_err(StartError::Store)?;
        }
        if let Some(sent) = self.last_sent.take() {
            self.files.store_last_sent(&sent).map_err(StartError::Store)?;
        }
        Ok(())
    }
}

fn lock(clock: &Mutex<(Instant, SystemTime)>) -> MutexGuard<'_, (Instant, SystemTime)> {
    // Two times cannot be half written.
    clock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<C> fmt::Debug for Life<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life").field("status", &self.status()).finish_non_exhaustive()
    }
}
