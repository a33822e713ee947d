//! What becomes of an attempt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use usage_proto::{Api, Error, ResponseErrorKind, TransportErrorKind};

use super::gate::pause;
use super::report::Report;
use super::{InFlight, Reporter};
use crate::event::{Event, LossReason};
use crate::report_kind::ReportKind;
use crate::state::last_sent::{Answer, LastSent};
use crate::status::Phase;
use crate::time::after;

/// How long after a start the clock of the host may still be wrong: what is sent at a start is sent
/// within ten minutes, unless it is configured otherwise.
const AT_START: Duration = Duration::from_secs(15 * 60);

/// The longest wait before the second chance of what failed for a clock that may be wrong.
const CLOCK_SETS_IN: Duration = Duration::from_secs(4 * 60);

/// What becomes of a report whose attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It goes out again when the API may be asked again.
    Retry,
    /// It has had its attempts, and gets as many in the next slot: a registration, and what met
    /// nothing but a page. Whoever showed that is not the API, and the API has refused nothing.
    NextSlot,
    /// It could not be delivered where it went, and has not been where reports go by now.
    Elsewhere,
    Lost(LossReason),
}

impl Reporter {
    pub(super) fn delivered(&mut self, now: Instant, attempt: &InFlight, status: StatusCode) {
        let report = &attempt.report;
        self.left(attempt, Answer::Saved(status));
        self.totals.delivered += 1;
        self.last_success = Some(now);
        self.last_error = None;
        if self.is_current(&attempt.api) {
            self.gate.alive(now, None, &mut self.random);
        }
        self.outage.delivered(now, report.kind(), &mut self.events);
        if report.kind() == ReportKind::Usage {
            self.schedule.acknowledged(now);
            self.durable.acknowledged(now);
        }
        let attempts = report.attempts + 1;
        self.events.push(Event::Delivered { report: report.kind(), attempts, status });
    }

    pub(super) fn failed(&mut self, now: Instant, attempt: InFlight, error: Error) {
        if !matches!(&error, Error::Transport(lost) if !lost.may_have_been_sent()) {
            self.left(&attempt, Answer::Failed(&error));
        }
        let InFlight { mut report, api, .. } = attempt;
        report.attempts += 1;
        let error = Arc::new(error);
        self.last_error = Some(Arc::clone(&error));
        report.error = Some(Arc::clone(&error));
        let for_a_period = self.outage.attempt_failed(now, report.kind(), self.config.period);
        let mut fate = self.fate(now, &mut report, &api, &error);
        if fate == Fate::Elsewhere || is_unauthorized(&error) {
            // An API that does not know the token has stored nothing under it.
            report.bound_to = None;
        } else if may_have_arrived(&error) {
            report.bound_to = Some(api);
        }

        let gate = self.gate.opens(now);
        let retry_at = match fate {
            Fate::Retry => Some(gate.max(report.not_before)),
            Fate::Elsewhere => Some(gate),
            Fate::NextSlot => Some(gate.max(self.schedule.due())),
            Fate::Lost(_) => None,
        };
        let retry_at = retry_at.filter(|at| self.has_time_for(fate, *at));
        if retry_at.is_none() && !matches!(fate, Fate::Lost(_)) {
            fate = Fate::Lost(LossReason::Closed);
        }
        self.events.push(Event::AttemptFailed {
            report: report.kind(),
            attempt: report.attempts,
            error: Arc::clone(&error),
            retry_in: retry_at.map(|at| at.duration_since(now)),
        });

        let given_up = match fate {
            Fate::Retry | Fate::Elsewhere | Fate::Lost(LossReason::Closed) => for_a_period,
            // That has a line of its own.
            Fate::Lost(LossReason::Gone) => false,
            Fate::NextSlot | Fate::Lost(_) => true,
        };
        if given_up {
            self.announce(now, report.kind(), &error);
        }
        match fate {
            Fate::Retry => self.put_back(report),
            Fate::Elsewhere | Fate::NextSlot => {
                report.attempts = 0;
                report.not_before = now;
                report.in_next_slot = fate == Fate::NextSlot;
                report.is_late |= report.in_next_slot;
                self.put_back(report);
            }
            Fate::Lost(reason) => {
                self.totals.lose(report.kind(), reason);
                if report.kind() == ReportKind::Usage {
                    if reason == LossReason::Closed {
                        // It is on its way as far as the next start knows.
                        self.durable.slot_changed();
                    } else {
                        self.durable.lost(report.key);
                        self.durable.given_up();
                    }
                }
            }
        }
        if fate == Fate::Lost(LossReason::Gone) {
            self.events.push(Event::Gone);
            self.queue.lose_all(LossReason::Gone, &mut self.totals);
            self.durable.all_lost();
            self.schedule.end();
            self.phase = Phase::Stopped;
        }
    }

    /// Keeps what has left, or may have, for the eyes of its owner.
    pub(super) fn left(&mut self, attempt: &InFlight, answer: Answer<'_>) {
        let InFlight { report, api, sent, .. } = attempt;
        if report.kind() != ReportKind::Usage {
            return;
        }
        // It was built before, with the same.
        if let Some(Ok(request)) = report.key.map(|key| report.request(api, key)) {
            self.durable.left(LastSent::new(&request, answer), *sent);
        }
    }

    /// A newer report has taken the place of one that was waiting. One that was tried is given up
    /// by that: if every report were overtaken before its last attempt, nobody would ever be told.
    pub(super) fn overtaken(&mut self, now: Instant, report: &Report) {
        let is_usage = report.kind() == ReportKind::Usage;
        if is_usage {
            self.durable.lost(report.key);
        }
        if let Some(error) = &report.error {
            self.announce(now, report.kind(), error);
            if is_usage {
                self.durable.given_up();
            }
        }
    }

    fn announce(&mut self, now: Instant, report: ReportKind, error: &Arc<Error>) {
        self.outage.given_up(now, report, self.config.period, error, &mut self.events);
    }

    fn fate(&mut self, now: Instant, report: &mut Report, api: &Api, error: &Error) -> Fate {
        let current = self.is_current(api);
        if current && is_gone(error) {
            return Fate::Lost(LossReason::Gone);
        }
        let (retry, floor) = (self.config.retry, error.retry_after());
        if !current {
            // The gate is that of the API that reports go to by now.
            let wait = pause(report.attempts - 1, retry, floor, &mut self.random);
            report.not_before = after(now, wait);
        } else if matches!(error, Error::Response(answer) if !answer.is_retryable()) {
            self.gate.alive(now, floor, &mut self.random);
        } else {
            self.gate.failed(now, retry, floor, &mut self.random);
        }

        let is_server = report.kind() == ReportKind::Server;
        let token_refused = is_server && is_unauthorized(error);
        let same_token = api.token() == self.api.token();
        if !error.is_retryable() && !token_refused {
            if current && self.clock_may_be_wrong(now, report, error) {
                let longest = CLOCK_SETS_IN.min(self.config.period);
                let wait = longest / 4 + self.random.below(longest / 4 * 3);
                report.not_before = after(now, wait);
                report.clock_was_blamed = true;
                Fate::Retry
            } else {
                Fate::Lost(LossReason::Refused)
            }
        } else if self.queue.has_newer_than(report) {
            Fate::Lost(LossReason::Superseded)
        } else if token_refused {
            if current && same_token { Fate::NextSlot } else { Fate::Elsewhere }
        } else if report.attempts < retry.attempts {
            Fate::Retry
        } else if is_server && !current {
            Fate::Elsewhere
        } else if is_server || current && is_page(error) {
            Fate::NextSlot
        } else {
            Fate::Lost(LossReason::Exhausted)
        }
    }

    /// Whether a TLS session that failed for good may come about within minutes: a machine that has
    /// just started may not have the right time yet, or not all of its files.
    fn clock_may_be_wrong(&self, now: Instant, report: &Report, error: &Error) -> bool {
        let is_tls =
            matches!(error, Error::Transport(lost) if lost.kind() == TransportErrorKind::Tls);
        is_tls
            && now.duration_since(self.started) < AT_START
            && !report.clock_was_blamed
            && report.attempts < self.config.retry.attempts
            && !self.queue.has_newer_than(report)
    }

    /// Whether a report that is to go out at `at` does so before the end. No slot begins after a
    /// close.
    fn has_time_for(&self, fate: Fate, at: Instant) -> bool {
        match self.phase {
            Phase::Draining { deadline } => fate != Fate::NextSlot && at < deadline,
            Phase::Running | Phase::Stopped => true,
        }
    }

    /// Whether reports still go to where `api` is.
    fn is_current(&self, api: &Api) -> bool {
        api.base_url() == self.api.base_url()
    }

    pub(super) fn put_back(&mut self, report: Report) {
        self.queue.put_back(report, self.config.pending, &mut self.totals);
    }
}

fn may_have_arrived(error: &Error) -> bool {
    match error {
        Error::Transport(lost) => lost.may_have_been_sent(),
        error => !is_page(error),
    }
}

/// Somebody else answered, such as a captive portal: the API has not seen the report.
fn is_page(error: &Error) -> bool {
    matches!(error, Error::Response(answer) if answer.kind == ResponseErrorKind::Page)
}

/// 401: the API does not know the token, or wants one.
fn is_unauthorized(error: &Error) -> bool {
    matches!(error, Error::Response(answer) if answer.status == StatusCode::UNAUTHORIZED)
}

/// 410 Gone: whoever runs the API wants no more of this.
fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Response(answer) if answer.status == StatusCode::GONE)
}
