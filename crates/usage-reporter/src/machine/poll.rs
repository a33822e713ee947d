//! The output: what to do next.

use std::sync::Arc;
use std::time::Instant;

use usage_proto::{IdempotencyKey, TransportError};

use super::{InFlight, Reporter};
use crate::action::{Action, Attempt, AttemptId};
use crate::event::{Event, LossReason};
use crate::report_kind::ReportKind;
use crate::state::last_sent::Answer;
use crate::status::Phase;
use crate::time::{after, far_future};

/// # Output
impl Reporter {
    /// What to do next. Call it again after it is done; after [`Action::Wait`], call it at that
    /// instant, or as soon as something was handed in.
    ///
    /// An instant before one that was told already counts as that one.
    pub fn poll(&mut self, now: Instant) -> Action {
        self.durable.host_is_back();
        let now = self.advance(now);
        if let Some(event) = self.events.pop().or_else(|| self.totals.next_event()) {
            return Action::Event(event);
        }
        if self.durable.is_unsaved() {
            return self.persist(now);
        }
        if matches!(self.phase, Phase::Stopped) {
            return Action::Stopped;
        }
        if self.collect_at(now).is_some_and(|at| at <= now) {
            self.schedule.collect(now, &self.config, &mut self.random);
            self.queue.begin_slot();
            return Action::Collect;
        }
        if self.send_at(now).is_some_and(|at| at <= now)
            && let Some(action) = self.start_attempt(now)
        {
            return action;
        }
        Action::Wait(self.wake_at(now))
    }

    /// What only the passing of time brings about.
    fn advance(&mut self, now: Instant) -> Instant {
        let now = self.clock(now);
        if let Some(attempt) = self.in_flight.take_if(|attempt| attempt.answer_by <= now) {
            let unanswered = TransportError::timeout(Unanswered);
            self.failed(now, *attempt, unanswered.into());
        }
        if let Phase::Draining { deadline } = self.phase
            && deadline <= now
        {
            self.schedule.end();
        }
        if self.schedule.collecting_until().is_some_and(|limit| limit <= now) {
            self.schedule.collected();
            self.durable.slot_changed();
            self.collect_error = Some(Arc::new(NotCollected));
            self.events.push(Event::CollectUnanswered);
        }
        if let Phase::Draining { deadline } = self.phase {
            self.drain(now, deadline);
        }
        now
    }

    /// Gives up what cannot start before the deadline, and stops once nothing is left.
    fn drain(&mut self, now: Instant, deadline: Instant) {
        if let Some(attempt) = self.in_flight.take_if(|_| now >= deadline) {
            self.left(&attempt, Answer::NotAwaited);
            self.durable.slot_changed();
            self.totals.lose(attempt.report.kind(), LossReason::Closed);
        }
        if self.gate.opens(now) >= deadline {
            self.queue.lose_all(LossReason::Closed, &mut self.totals);
            self.schedule.end();
        } else {
            self.queue.lose_what_is_late(deadline, &mut self.totals);
        }
        let is_collected =
            self.schedule.asked().is_none() && self.schedule.collecting_until().is_none();
        if is_collected && self.queue.is_empty() && self.in_flight.is_none() {
            self.phase = Phase::Stopped;
        }
    }

    /// When to ask for numbers, if they are to be asked for.
    fn collect_at(&self, now: Instant) -> Option<Instant> {
        if self.schedule.collecting_until().is_some() {
            return None;
        }
        let due = match self.phase {
            Phase::Running => self.schedule.due(),
            Phase::Draining { .. } => self.schedule.asked()?,
            Phase::Stopped => return None,
        };
        // Numbers that could not be sent yet would be old by then.
        Some(due.max(self.gate.opens(now)))
    }

    /// When the next attempt may start, if there is something to send.
    fn send_at(&self, now: Instant) -> Option<Instant> {
        if self.in_flight.is_some() {
            return None;
        }
        let ready = self.queue.ready_at(now, self.usage_may_go())?;
        Some(ready.max(self.gate.opens(now)))
    }

    /// Whether nothing that was handed in or asked for is being done, and nothing of it will be by
    /// `deadline`.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn is_settled(&self, deadline: Instant) -> bool {
        if matches!(self.phase, Phase::Stopped) {
            return true;
        }
        let asked = self.schedule.asked().map(|at| at.max(self.gate.opens(self.now)));
        let next = [asked, self.send_at(self.now)].into_iter().flatten().min();
        self.in_flight.is_none()
            && self.schedule.collecting_until().is_none()
            && self.durable.is_settled()
            && next.is_none_or(|at| at > deadline)
    }

    /// Whether all that was handed in or asked for is done.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn is_done(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_none() && self.schedule.asked().is_none()
    }

    /// Usage that waits while fresh numbers are being collected is about to be replaced.
    fn usage_may_go(&self) -> bool {
        self.schedule.collecting_until().is_none()
    }

    fn start_attempt(&mut self, now: Instant) -> Option<Action> {
        let mut report = self.queue.take_next(now, self.usage_may_go())?;
        let kind = report.kind();
        let key = match (report.key, kind) {
            (Some(key), _) => key,
            (None, ReportKind::Usage) => {
                report.key = Some(self.durable.key_for_usage(now, &mut self.random));
                self.put_back(report);
                return Some(self.persist(now));
            }
            (None, _) => *report.key.insert(IdempotencyKey::from_bytes(self.random.bytes())),
        };
        let api = Arc::clone(report.bound_to.as_ref().unwrap_or(&self.api));
        let request = match report.request(&api, key) {
            Ok(request) => request,
            Err(error) => {
                self.last_error = Some(Arc::new(error.into()));
                self.totals.lose(kind, LossReason::Unbuildable);
                if kind == ReportKind::Usage {
                    self.durable.lost(report.key);
                }
                return self.totals.next_event().map(Action::Event);
            }
        };
        if kind == ReportKind::Usage {
            self.durable.sent(key);
        }
        self.attempts = self.attempts.wrapping_add(1);
        let (id, number) = (AttemptId(self.attempts), report.attempts + 1);
        let answer_by = after(now, self.config.attempt_timeout);
        self.in_flight = Some(Box::new(InFlight { id, report, api, sent: now, answer_by }));
        Some(Action::Send(Attempt { id, report: kind, number, request }))
    }

    fn persist(&mut self, now: Instant) -> Action {
        // The end of the slot, which is that of its key: after a close as well.
        let next_due = self.gate.opens(self.schedule.slot());
        Action::Persist(self.durable.save(next_due, now))
    }

    /// When there will be something to do, if nothing is handed in before.
    fn wake_at(&self, now: Instant) -> Instant {
        let deadline = match self.phase {
            Phase::Draining { deadline } => Some(deadline),
            _ => None,
        };
        let answer_by = self.in_flight.as_ref().map(|attempt| attempt.answer_by);
        let times = [
            self.collect_at(now),
            self.schedule.collecting_until(),
            self.send_at(now),
            answer_by,
            deadline,
        ];
        times.into_iter().flatten().min().unwrap_or_else(|| far_future(now))
    }
}

/// The caller told no outcome of an attempt in time.
#[derive(Debug, thiserror::Error)]
#[error("the outcome of the attempt was not told within `attempt_timeout`")]
struct Unanswered;

/// The caller had no numbers in time.
#[derive(Debug, thiserror::Error)]
#[error("no usage was collected in time")]
struct NotCollected;
