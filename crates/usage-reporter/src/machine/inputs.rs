//! What the host tells.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use usage_proto::{Api, Saveable, Saved, Server, TransportError};

use super::gate::Gate;
use super::report::{Encoded, Report};
use super::{InFlight, Reporter};
use crate::action::AttemptId;
use crate::event::Event;
use crate::report_kind::ReportKind;
use crate::status::Phase;
use crate::submit_error::SubmitError;
use crate::time::after;

/// # Inputs
///
/// They change what the next [`poll`](Self::poll) says, in any order and at any time. Call `poll`
/// after each.
impl Reporter {
    /// Registers the server: call it once at the start. The request goes out within
    /// [`Config::start_spread`](crate::Config::start_spread).
    ///
    /// A registration that fails for now is tried again when usage is due next. So is one that the
    /// API refuses for its token (401), and before that as soon as [`set_api`](Self::set_api) brings
    /// another. Until then it is pending, and counts as such. One that is newer takes its place.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the report is not taken.
    pub fn register(&mut self, now: Instant, server: &Server) -> Result<(), SubmitError> {
        let report = self.encode(now, ReportKind::Server, server)?;
        self.accept(now, report)
    }

    /// Takes fresh usage: the answer to [`Action::Collect`](crate::Action::Collect), or a report
    /// out of turn, from which the schedule counts on. It takes the place of usage that is still
    /// waiting.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the report is not taken. Numbers are data: one NaN among them is no reason
    /// to end a loop. Hand the error to [`collect_failed`](Self::collect_failed), and the schedule
    /// goes on at once; as long as it may, other numbers can be submitted as well.
    pub fn submit<P: Saveable + ?Sized>(
        &mut self,
        now: Instant,
        usage: &P,
    ) -> Result<(), SubmitError> {
        let report = self.encode(now, ReportKind::Usage, usage)?;
        self.accept(now, report)
    }

    /// Answers [`Action::Collect`](crate::Action::Collect) when there are no numbers: collecting
    /// them failed, or panicked, or [`submit`](Self::submit) has not taken them. The schedule goes
    /// on.
    pub fn collect_failed(
        &mut self,
        now: Instant,
        error: impl Into<Box<dyn StdError + Send + Sync>>,
    ) {
        self.clock(now);
        if self.schedule.collected() {
            self.durable.slot_changed();
            let error: Arc<dyn StdError + Send + Sync> = Arc::from(error.into());
            self.collect_error = Some(Arc::clone(&error));
            self.events.push(Event::CollectFailed { error });
        }
    }

    /// Answers [`Action::Persist`](crate::Action::Persist) when the state could not be stored.
    /// Reporting goes on: what was not stored is part of the next state.
    pub fn persist_failed(
        &mut self,
        now: Instant,
        error: impl Into<Box<dyn StdError + Send + Sync>>,
    ) {
        self.clock(now);
        let again = self.durable.not_stored();
        self.events.push(Event::StateNotStored { error: Arc::from(error.into()), again });
    }

    /// Takes statistics, to be sent as soon as possible. When there is no room for them, older
    /// ones are dropped ([`Config::pending`](crate::Config::pending)).
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the report is not taken.
    pub fn push_stats<P: Saveable + ?Sized>(
        &mut self,
        now: Instant,
        stats: &P,
    ) -> Result<(), SubmitError> {
        let report = self.encode(now, ReportKind::Stats, stats)?;
        self.accept(now, report)
    }

    /// Makes usage due now. The schedule counts on from there. Where numbers are being collected,
    /// they are the report.
    pub fn report_now(&mut self, now: Instant) {
        let now = self.clock(now);
        if matches!(self.phase, Phase::Running) {
            self.schedule.ask(now);
        }
    }

    /// Sends what waits without the spread of a start: what was never tried goes out at once. What the
    /// API has asked for is waited for all the same, and so are the pauses after a failure.
    pub fn hurry(&mut self, now: Instant) {
        let now = self.clock(now);
        self.queue.hurry(now);
    }

    /// Tells that the machine slept: for `length` the wall clock went on, and the one of `now` stood
    /// still, as it does on Linux and macOS while a machine is suspended.
    ///
    /// Usage is due that much sooner. What has become due is spread as at a start, and waits no longer
    /// than it would have. What the API has asked for is waited for all the same.
    ///
    /// A loop finds out by comparing the two clocks, every few minutes: the drivers do so. A wall
    /// clock that was set back is not worth a call.
    pub fn slept(&mut self, now: Instant, length: Duration) {
        let now = self.clock(now);
        if matches!(self.phase, Phase::Running) {
            self.schedule.slept(now, length, &self.config, &mut self.random);
            self.durable.slept(now, length);
        }
    }

    /// Reports to another address or with another token from now on, such as the token of a
    /// customer who has just registered.
    ///
    /// A report that may have arrived already keeps its address and token for further attempts: to
    /// change them would count it twice. What the old address answers from now on is about that
    /// report alone: it is no pause for the new one, and a 410 does not stop the reporter. A pause
    /// that the old address had asked for is forgotten, should the host come back to it.
    ///
    /// A registration that waits for the next slot, since its attempts have failed or its token was
    /// refused, goes out at once if nothing binds it to what was before.
    pub fn set_api(&mut self, api: impl Into<Arc<Api>>) {
        let api = api.into();
        let moved = api.base_url() != self.api.base_url();
        if moved || api.token() != self.api.token() {
            self.queue.change_api(&self.api, &api, self.gate.opens(self.now));
        }
        if moved {
            // What the API at the old address asked for does not bind the new one.
            self.gate = Gate::default();
        }
        self.api = api;
    }

    /// Tells the answer to an attempt. An answer that is not awaited is ignored. A page for people
    /// ([`Saved::is_page`]) is not an answer of the API, whatever its status: the report is kept, and
    /// the attempt counts as one that failed for now.
    pub fn on_response<B: Into<Bytes>>(
        &mut self,
        now: Instant,
        id: AttemptId,
        response: http::Response<B>,
    ) {
        let now = self.clock(now);
        if let Some(attempt) = self.take_in_flight(id) {
            match attempt.api.parse_response(response).and_then(Saved::refuse_page) {
                Ok(saved) => self.delivered(now, &attempt, saved.status()),
                Err(error) => self.failed(now, attempt, error.into()),
            }
        }
    }

    /// Tells that an attempt had no answer. An outcome that is not awaited is ignored.
    pub fn on_failure(&mut self, now: Instant, id: AttemptId, error: TransportError) {
        let now = self.clock(now);
        if let Some(attempt) = self.take_in_flight(id) {
            self.failed(now, attempt, error.into());
        }
    }

    /// Takes no more reports, and sends what waits as far as `deadline` allows: no attempt starts
    /// then or later, and [`Action::Stopped`](crate::Action::Stopped) comes by then, with what is
    /// left lost. A deadline that is passed stops at once; the earliest of several counts.
    ///
    /// What a start has spread over time goes out at once: the registration, and usage whose slot has
    /// passed or that [`report_now`](Self::report_now) wants. For such usage there is one more
    /// [`Action::Collect`](crate::Action::Collect), and what answers it is taken.
    pub fn close(&mut self, deadline: Instant) {
        self.phase = match self.phase {
            Phase::Running => {
                self.schedule.close(self.now);
                self.queue.hurry(self.now);
                Phase::Draining { deadline }
            }
            Phase::Draining { deadline: earlier } => {
                Phase::Draining { deadline: deadline.min(earlier) }
            }
            Phase::Stopped => Phase::Stopped,
        };
    }
}

impl Reporter {
    fn encode<P: Saveable + ?Sized>(
        &mut self,
        now: Instant,
        kind: ReportKind,
        payload: &P,
    ) -> Result<Encoded, SubmitError> {
        // Whatever becomes of the payload, the time was told.
        self.clock(now);
        self.check_open(kind)?;
        Ok(Encoded::new(kind, &self.api, payload)?)
    }

    fn check_open(&self, kind: ReportKind) -> Result<(), SubmitError> {
        match self.phase {
            Phase::Running => Ok(()),
            // The last numbers that were asked for.
            Phase::Draining { deadline }
                if kind == ReportKind::Usage
                    && self.schedule.collecting_until().is_some()
                    && self.now < deadline =>
            {
                Ok(())
            }
            Phase::Draining { .. } | Phase::Stopped => Err(SubmitError::Closed),
        }
    }

    /// Takes a report that was encoded for an API of this reporter's.
    pub(crate) fn accept(&mut self, now: Instant, report: Encoded) -> Result<(), SubmitError> {
        let now = self.clock(now);
        self.check_open(report.kind())?;
        let (kind, size, limits) = (report.kind(), report.size(), self.config.pending);
        if size > limits.bytes {
            return Err(SubmitError::TooLarge { size, limit: limits.bytes });
        }
        let spread = match kind {
            ReportKind::Server => self.random.below(self.config.start_spread),
            ReportKind::Usage | ReportKind::Stats => Duration::ZERO,
        };
        self.totals.accepted += 1;
        let report = Report::new(report, after(now, spread));
        if let Some(older) = self.queue.push(report, limits, &mut self.totals) {
            self.overtaken(now, &older);
        }
        if kind == ReportKind::Usage {
            self.collect_error = None;
            if !self.schedule.collected() {
                self.schedule.begin(now, &self.config, &mut self.random);
                self.queue.begin_slot();
            }
        }
        Ok(())
    }

    fn take_in_flight(&mut self, id: AttemptId) -> Option<InFlight> {
        self.in_flight.take_if(|attempt| attempt.id == id).map(|attempt| *attempt)
    }
}
