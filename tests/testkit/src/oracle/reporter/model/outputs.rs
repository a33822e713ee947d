//! What the reporter does.

use std::time::{Instant, SystemTime};

use usage_reporter::{AttemptId, Event, LossReason, ReportKind, State};

use super::super::life::later;
use super::super::place::Place;
use super::{Flight, LastQuestion, Model, has_exact_stamp};

impl Model {
    pub(in super::super) fn saw_collect(&mut self, now: Instant) {
        let is_last = self.deadline.is_some();
        assert!(!self.has_ended(), "law 8: collecting after the end");
        assert!(!is_last || self.last_question.may_come, "law 8: collecting after a close");
        self.last_question = LastQuestion::default();
        assert!(self.collecting_until.is_none(), "law 3: asked twice");
        assert!(
            self.asked || is_last || now >= self.earliest,
            "laws 3 and 4: {:?} early",
            self.earliest - now
        );
        assert!(now >= self.floor, "law 3: collecting for an API that wants a pause");
        self.slot(now);
        self.collecting_until = Some(later(now, self.config.collect_timeout));
    }

    pub(in super::super) fn saw_send(
        &mut self,
        now: Instant,
        place: Place,
        flight: (AttemptId, u64, ReportKind, u32),
    ) {
        let (id, number, kind, attempt) = flight;
        assert!(self.flight.is_none(), "law 3: two requests in flight");
        assert!(now >= self.floor, "law 3: {:?} before Retry-After is over", self.floor - now);
        let held = self.held.remove(&number).map_or(now, |(floor, _)| floor);
        assert!(now >= held, "law 3: {:?} before an old Retry-After is over", held - now);
        assert!(self.deadline.is_none_or(|deadline| now < deadline), "law 8: sent too late");
        assert!(!self.gone, "sent after 410");
        assert!((1..=self.config.retry.attempts).contains(&attempt), "attempt {attempt}");
        if kind == ReportKind::Usage {
            assert_eq!(self.newest_usage, Some(number), "law 6: not the newest usage");
            assert!(!self.to_store, "an acknowledgement was not stored before the next report");
        }
        let answer_by = later(now, self.config.attempt_timeout);
        self.flight = Some(Flight { id, number, kind, place, answer_by, attempt, silent: false });
    }

    pub(in super::super) fn saw_persist(&mut self, now: Instant, state: &State, wall: SystemTime) {
        let stamp = self.acknowledged.map(|(then, slept)| wall - (now - then) - slept);
        if self.acknowledged.is_none() {
            assert_eq!(state.acknowledged(), self.before.acknowledged(), "law 4: a lost stamp");
        }
        assert_eq!(state.server_id(), self.before.server_id(), "an identity is lost");
        assert_eq!(state.cluster_id(), self.before.cluster_id(), "an identity is lost");
        assert!(state.next_due().is_some(), "a key without an end");
        if stamp.is_some_and(has_exact_stamp) && has_exact_stamp(wall) {
            assert_eq!(state.acknowledged(), stamp, "law 4: a wrong stamp");
        }
        assert_eq!(state.failures(), self.failures, "failures are not counted");
        if self.to_store {
            assert_eq!(state.unacknowledged_key(), None, "law 7: a key is kept");
            self.to_store = false;
        }
    }

    pub(in super::super) fn saw_event(&mut self, now: Instant, event: &Event) {
        self.loud.saw(now, event);
        match event {
            Event::Delivered { .. } => self.counts.delivered += 1,
            Event::Lost { report, reason, count, .. } => {
                self.counts.lost += count;
                assert!(*count > 0);
                match (*report, *reason) {
                    (ReportKind::Server, LossReason::Refused) => self.refused += count,
                    (ReportKind::Server, LossReason::Unbuildable | LossReason::Closed) => {
                        self.drop_registration();
                    }
                    _ => {}
                }
                if *report == ReportKind::Usage {
                    assert_ne!(*reason, LossReason::Overflow, "law 6: usage was dropped");
                    if matches!(reason, LossReason::Closed | LossReason::Unbuildable) {
                        self.newest_usage = None;
                    }
                    if *reason == LossReason::Superseded {
                        self.superseded += count;
                        assert!(self.superseded < self.usages, "law 6: superseded by nothing");
                    }
                }
            }
            _ => {}
        }
    }

    pub(in super::super) fn saw_wait(&mut self, now: Instant, until: Instant, pending: u64) {
        assert!(until > now, "law 2: waits for what has passed");
        assert_eq!(self.taken, self.counts.delivered, "law 1: a delivery without an event");
        assert!(!self.to_store, "law 4: an acknowledgement is not stored");
        assert_eq!(self.refused, self.registration.refused, "a registration is given up too soon");
        self.loud.check();
        let mut bounds = Vec::new();
        if let Some(flight) = &self.flight {
            bounds.push(("law 10: the attempt", flight.answer_by));
        }
        if let Some(deadline) = self.deadline {
            bounds.push(("law 8: the deadline", deadline));
        }
        match self.collecting_until {
            Some(limit) => bounds.push(("law 10: the numbers", limit)),
            None if self.last_question.must_come => {
                bounds.push(("law 8: what is due at a close", self.gate_by));
            }
            None if self.deadline.is_some() => {}
            None if self.asked => bounds.push(("the host's wish", self.gate_by)),
            None => bounds.push(("law 10: the schedule", self.latest.max(self.gate_by))),
        }
        if pending > 0 && self.flight.is_none() && self.collecting_until.is_none() {
            let waits = self.registration.waiting.is_some() || !self.kept.is_empty();
            let slot = waits.then_some(self.latest);
            let held = |number: &u64| self.held.get(number).map(|(_, by)| *by);
            let by = slot.or(self.registration.by).unwrap_or(now).max(self.gate_by);
            let by = self.held.keys().filter_map(held).fold(by, Instant::max);
            bounds.push(("law 2: what is pending", by));
            if let Some(usage) = &self.newest_usage {
                let by = if self.kept.contains(usage) { self.latest } else { now };
                bounds.push(("law 2: usage", held(usage).unwrap_or(by).max(self.gate_by)));
            }
        }
        for (what, bound) in bounds {
            assert!(until <= bound, "{what} is overslept by {:?}", until - bound);
        }
    }

    pub(in super::super) fn saw_stopped(&mut self, now: Instant) {
        assert!(self.gone || self.deadline.is_some(), "stopped for no reason");
        assert_eq!(self.taken, self.counts.delivered, "law 1: a delivery without an event");
        assert!(!self.to_store, "law 4: an acknowledgement is not stored");
        let is_dropped = self.last_question.must_come && !self.is_hopeless();
        assert!(!is_dropped, "law 8: what is due at a close is not collected");
        assert_eq!(self.counts.accepted, self.counts.delivered + self.counts.lost, "law 1");
        self.loud.check();
        if self.gone {
            self.loud.check_gone();
        }
        self.flight = None;
        self.newest_usage = None;
        self.deadline = Some(self.deadline.map_or(now, |deadline| deadline.min(now)));
    }
}
