//! What becomes of an attempt.

use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;
use usage_proto::Error;

use super::{InFlight, Reporter};
use crate::events::{Event, LossReason};
use crate::report::{Report, ReportKind};
use crate::status::Phase;

/// What becomes of a report whose attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It goes out again when the API may be asked again.
    Retry,
    /// It has had its attempts, and gets as many in the next slot.
    NextSlot,
    Lost(LossReason),
}

impl Reporter {
    pub(super) fn delivered(&mut self, now: Instant, attempt: &InFlight, status: StatusCode) {
        let report = &attempt.report;
        self.ledger.delivered += 1;
        self.last_success = Some(now);
        self.last_error = None;
        self.backoff.alive(now, None, &mut self.random);
        self.outage.delivered(now, &mut self.events);
        if report.kind() == ReportKind::Usage {
            self.schedule.acknowledged(now);
            self.memory.acknowledged(now);
        }
        let attempts = report.attempts + 1;
        self.events.push(Event::Delivered { report: report.kind(), attempts, status });
    }

    pub(super) fn failed(&mut self, now: Instant, attempt: InFlight, error: Error) {
        let InFlight { mut report, api, .. } = attempt;
        if may_have_arrived(&error) {
            report.bound_to = Some(api);
        }
        report.attempts += 1;

        let error = Arc::new(error);
        self.last_error = Some(Arc::clone(&error));
        self.outage.attempt_failed();
        let fate = self.fate(now, &report, &error);
        let retry_at = match fate {
            Fate::Retry => Some(self.backoff.opens(now)),
            Fate::NextSlot => Some(self.schedule.a_slot_later(now)),
            Fate::Lost(_) => None,
        };
        self.events.push(Event::AttemptFailed {
            report: report.kind(),
            attempt: report.attempts,
            error: Arc::clone(&error),
            retry_in: retry_at.map(|at| at.duration_since(now)),
        });

        let given_up =
            !matches!(fate, Fate::Retry | Fate::Lost(LossReason::Superseded | LossReason::Gone));
        if given_up {
            self.outage.given_up(now, self.config.period, &error, &mut self.events);
        }
        match fate {
            Fate::Retry => self.put_back(report),
            Fate::NextSlot => {
                report.attempts = 0;
                report.not_before = retry_at.unwrap_or(now);
                self.put_back(report);
            }
            Fate::Lost(reason) => {
                self.ledger.lose(report.kind(), reason);
                if report.kind() == ReportKind::Usage && reason != LossReason::Superseded {
                    self.memory.given_up();
                }
            }
        }
        if fate == Fate::Lost(LossReason::Gone) {
            self.outage.for_good(now, &error, &mut self.events);
            self.events.push(Event::Gone);
            self.pending.lose_all(LossReason::Gone, &mut self.ledger);
            self.schedule.collected();
            self.phase = Phase::Stopped;
        }
    }

    fn fate(&mut self, now: Instant, report: &Report, error: &Error) -> Fate {
        if is_gone(error) {
            return Fate::Lost(LossReason::Gone);
        }
        let (retry, floor) = (self.config.retry, error.retry_after());
        if matches!(error, Error::Response(answer) if !answer.is_retryable()) {
            self.backoff.alive(now, floor, &mut self.random);
        } else {
            self.backoff.failed(now, retry, floor, &mut self.random);
        }
        if !error.is_retryable() {
            Fate::Lost(LossReason::Refused)
        } else if self.pending.has_newer_than(report) {
            Fate::Lost(LossReason::Superseded)
        } else if report.attempts < retry.attempts {
            Fate::Retry
        } else if report.kind() == ReportKind::Server {
            Fate::NextSlot
        } else {
            Fate::Lost(LossReason::Exhausted)
        }
    }

    fn put_back(&mut self, report: Report) {
        self.pending.put_back(report, self.config.pending, &mut self.ledger);
    }
}

fn may_have_arrived(error: &Error) -> bool {
    !matches!(error, Error::Transport(lost) if !lost.may_have_been_sent())
}

/// 410 Gone: whoever runs the API wants no more of this.
fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Response(answer) if answer.status == StatusCode::GONE)
}
