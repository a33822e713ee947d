//! What may happen when: bounds that are derived from what was told and seen, and from nothing
//! inside the reporter.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use usage_reporter::{AttemptId, Config, Event, LossReason, ReportKind, State};

use super::case::Outcome;
use super::life::later;
use super::loud::Loud;
use super::place::Place;
use super::registration::{Registration, Went};

/// Stamps are exact up to 292 years before and after 1970.
const STAMPS: Duration = Duration::from_secs(290 * 365 * 86_400);

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    /// Events that say so.
    pub(super) delivered: u64,
    /// Events that say so.
    pub(super) lost: u64,
}

/// An attempt whose outcome is not told.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) id: AttemptId,
    pub(super) number: u64,
    pub(super) kind: ReportKind,
    place: Place,
    answer_by: Instant,
    attempt: u32,
    /// Nobody will tell the outcome.
    silent: bool,
}

pub(super) struct Model {
    pub(super) config: Config,
    /// The latest instant that was told.
    pub(super) told: Instant,
    pub(super) flight: Option<Flight>,
    pub(super) counts: Counts,
    /// Where reports go.
    place: Place,
    /// No request before, since the API said so.
    pub(super) floor: Instant,
    /// The gate of the back-off is open by then.
    gate_by: Instant,
    collecting_until: Option<Instant>,
    /// No question for numbers before, unless the host asked for a report.
    earliest: Instant,
    /// The next question comes by then, unless the gate is closed.
    latest: Instant,
    asked: bool,
    registration: Registration,
    /// Reports for an address of the past: not before the first, and by the second of these.
    held: BTreeMap<u64, (Instant, Instant)>,
    /// Reports that may go anywhere, whatever was before.
    pub(super) unbound: Vec<u64>,
    /// Lost registrations that the API refused, as events have it.
    refused: u64,
    pub(super) deadline: Option<Instant>,
    gone: bool,
    /// The sizes of reports that were taken and are not known to be over.
    live: BTreeMap<u64, usize>,
    newest_usage: Option<u64>,
    usages: u64,
    superseded: u64,
    /// Answers that the API took a report.
    taken: u64,
    /// When usage was last acknowledged to this process.
    acknowledged: Option<Instant>,
    pub(super) loud: Loud,
    /// The last usage report was tried and is not known to be over.
    usage_was_tried: bool,
    /// Usage reports in a row that were given up.
    failures: u64,
    /// It is not stored yet.
    to_store: bool,
    /// What the run before has left on the disk.
    before: State,
}

impl Model {
    pub(super) fn new(
        config: Config,
        place: Place,
        state: &State,
        now: Instant,
        wall_now: SystemTime,
    ) -> Self {
        let period = config.period;
        let spread = config.start_spread.min(period);
        let (earliest, latest) =
            match state.acknowledged().map(|then| wall_now.duration_since(then)) {
                None if state.unacknowledged_key().is_none() => (Duration::ZERO, period),
                _ if !has_exact_stamp(wall_now) => (Duration::ZERO, Duration::MAX),
                Some(Ok(ago)) if ago < period => {
                    let rest = period.saturating_sub(ago);
                    (rest, rest.saturating_add(config.jitter))
                }
                _ => (Duration::ZERO, spread),
            };
        Self {
            told: now,
            flight: None,
            counts: Counts::default(),
            place,
            floor: now,
            gate_by: now,
            collecting_until: None,
            earliest: later(now, earliest),
            latest: later(now, latest),
            asked: false,
            registration: Registration::default(),
            held: BTreeMap::new(),
            unbound: Vec::new(),
            refused: 0,
            deadline: None,
            gone: false,
            live: BTreeMap::new(),
            newest_usage: None,
            usages: 0,
            superseded: 0,
            taken: 0,
            acknowledged: None,
            to_store: false,
            before: state.clone(),
            loud: Loud::new(period),
            usage_was_tried: false,
            failures: state.failures(),
            config,
        }
    }

    /// Any call tells the time; a call of `poll` also lets what is overdue pass.
    pub(super) fn tell(&mut self, now: Instant) -> Instant {
        self.told = self.told.max(now);
        self.told
    }

    pub(super) fn before_poll(&mut self, now: Instant) -> Instant {
        let now = self.tell(now);
        if self.flight.as_ref().is_some_and(|flight| flight.answer_by <= now) {
            self.outcome(now, Outcome::Timeout);
        }
        if self.collecting_until.is_some_and(|limit| limit <= now) {
            self.collecting_until = None;
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.flight = None;
        }
        now
    }

    // Inputs.

    pub(super) fn accepted(&mut self, now: Instant, report: (u64, ReportKind, usize)) {
        let (number, kind, size) = report;
        assert!(self.deadline.is_none() && !self.gone, "taken after the end");
        self.counts.accepted += 1;
        self.live.insert(number, size);
        let in_flight = self.flight.as_ref().map(|flight| flight.number);
        match kind {
            ReportKind::Usage => {
                if let Some(older) = self.newest_usage.filter(|older| Some(*older) != in_flight) {
                    self.live.remove(&older);
                    if self.usage_was_tried {
                        self.loud.given_up(now, kind);
                        self.failures += 1;
                    }
                }
                self.usage_was_tried = false;
                self.newest_usage = Some(number);
                self.usages += 1;
                if self.collecting_until.take().is_none() {
                    self.slot(now);
                }
            }
            ReportKind::Server => {
                if let Some(older) = self.registration.pending(in_flight) {
                    self.live.remove(&older);
                    if self.registration.is_tried {
                        self.loud.given_up(now, kind);
                    }
                }
                self.registration.accepted(number, later(now, self.config.start_spread));
            }
            _ => {}
        }
        self.make_room();
    }

    /// Statistics go first; then the registration goes, if there is no room for it beside usage.
    fn make_room(&mut self) {
        let in_flight = self.flight.as_ref().map(|flight| flight.number);
        let usage = self.newest_usage.filter(|usage| Some(*usage) != in_flight);
        let server = self.registration.pending(in_flight);
        let size = |number| self.live.get(&number).copied().unwrap_or(0);
        let limits = self.config.pending;
        if let (Some(usage), Some(server)) = (usage, server)
            && (limits.items < 2 || size(usage) + size(server) > limits.bytes)
        {
            self.live.remove(&server);
            self.drop_registration();
        }
    }

    fn drop_registration(&mut self) {
        let flight = self.flight.as_ref().filter(|flight| flight.kind == ReportKind::Server);
        self.registration.dropped(flight.map(|flight| flight.number));
    }

    pub(super) fn collect_failed(&mut self) {
        self.collecting_until = None;
    }

    pub(super) fn asked(&mut self) {
        self.asked |= self.collecting_until.is_none();
    }

    /// The host reports elsewhere, or with another token; `bound` has to go where it was sent.
    pub(super) fn changed(&mut self, place: Place, bound: impl Iterator<Item = u64>) {
        let moved = !place.is_at(&self.place);
        if moved {
            let floor = self.floor;
            self.held.extend(bound.map(|number| (number, (floor, self.gate_by))));
            self.floor = self.told;
        }
        if place != self.place
            && let Some(number) = self.registration.changed(moved, self.told)
        {
            self.free(number);
        }
        self.place = place;
    }

    pub(super) fn closed(&mut self, deadline: Instant) {
        if !self.has_ended() {
            self.deadline = Some(self.deadline.map_or(deadline, |other| other.min(deadline)));
            self.collecting_until = None;
        }
    }

    /// What is known of the attempt in flight.
    pub(super) fn outcome(&mut self, now: Instant, outcome: Outcome) {
        let Some(flight) = self.flight.take() else { return };
        let config = &self.config;
        let moved = !flight.place.is_at(&self.place);
        let newest = flight.kind == ReportKind::Usage && self.newest_usage == Some(flight.number);
        let retried = match outcome {
            Outcome::Saved => {
                self.taken += 1;
                if flight.kind == ReportKind::Usage {
                    let gap = config.period.saturating_add(config.jitter);
                    self.earliest = self.earliest.max(later(now, config.period));
                    self.latest = self.latest.max(later(now, gap));
                    self.acknowledged = Some(now);
                    self.to_store = true;
                }
                false
            }
            Outcome::Status(410) if !moved => {
                self.gone = true;
                self.newest_usage = None;
                false
            }
            Outcome::Certificate
            | Outcome::Status(401 | 410 | 422 | 302)
            | Outcome::RetryAfter(403, _) => false,
            _ => flight.attempt < config.retry.attempts,
        };
        let overtaken = !newest && flight.kind == ReportKind::Usage;
        let is_lost = !retried || overtaken;
        let is_draining = self.deadline.is_some();
        if outcome == Outcome::Saved {
            self.loud.delivered(flight.kind);
        } else if flight.kind != ReportKind::Server && !self.gone {
            self.loud.failed(now, flight.kind, is_lost);
        }
        if flight.kind == ReportKind::Usage {
            self.usage_was_tried = newest && retried;
            if outcome == Outcome::Saved {
                self.failures = 0;
            } else if is_lost {
                self.failures += 1;
            }
        }
        if newest && !retried {
            self.newest_usage = None;
        }
        if flight.kind != ReportKind::Server && is_lost {
            self.live.remove(&flight.number);
        }
        let floor = outcome.retry_after().unwrap_or_default();
        let wait = floor.saturating_add(config.retry.cap.max(floor / 2));
        let (floor, by) = (later(now, floor), later(now, wait));
        if moved {
            self.held.insert(flight.number, (floor, by));
        } else {
            self.floor = self.floor.max(floor);
            if outcome != Outcome::Saved {
                self.gate_by = self.gate_by.max(by);
            }
        }
        if flight.kind == ReportKind::Server && !self.gone {
            let went = match (moved, flight.place == self.place) {
                (true, _) => Went::Elsewhere,
                (false, true) => Went::Here,
                (false, false) => Went::HereWithAnotherToken,
            };
            let is_last = flight.attempt >= self.config.retry.attempts;
            let free = self.registration.outcome(flight.number, outcome, went, is_last, now);
            if outcome != Outcome::Saved {
                let is_given_up = self.registration.is_given_up(flight.number, is_draining);
                self.loud.failed(now, flight.kind, is_given_up);
            }
            if free || outcome == Outcome::Status(401) {
                self.free(flight.number);
            }
            if self.registration.pending(None) != Some(flight.number) {
                self.live.remove(&flight.number);
            }
        }
        self.make_room();
    }

    /// Nothing binds a report to where it went before.
    fn free(&mut self, number: u64) {
        self.held.remove(&number);
        self.unbound.push(number);
    }

    pub(super) fn silence(&mut self) {
        if let Some(flight) = &mut self.flight {
            flight.silent = true;
        }
    }

    // Outputs.

    pub(super) fn saw_collect(&mut self, now: Instant) {
        assert!(!self.has_ended() && self.deadline.is_none(), "law 8: collecting after close");
        assert!(self.collecting_until.is_none(), "law 3: asked twice");
        assert!(
            self.asked || now >= self.earliest,
            "laws 3 and 4: {:?} early",
            self.earliest - now
        );
        assert!(now >= self.floor, "law 3: collecting for an API that wants a pause");
        self.slot(now);
        self.collecting_until = Some(later(now, self.config.collect_limit));
    }

    pub(super) fn saw_send(
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
        let answer_by = later(now, self.config.attempt_limit);
        self.flight = Some(Flight { id, number, kind, place, answer_by, attempt, silent: false });
    }

    pub(super) fn saw_persist(&mut self, now: Instant, state: &State, wall: SystemTime) {
        let stamp = self.acknowledged.map(|then| wall - (now - then));
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

    pub(super) fn saw_event(&mut self, now: Instant, event: &Event) {
        self.loud.saw(now, event);
        match event {
            Event::Delivered { .. } => self.counts.delivered += 1,
            Event::Lost { report, reason, count, .. } => {
                self.counts.lost += count;
                assert!(*count > 0);
                match (*report, *reason) {
                    (ReportKind::Server, LossReason::Refused) => self.refused += count,
                    (ReportKind::Server, LossReason::Unbuildable) => self.drop_registration(),
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

    pub(super) fn saw_wait(&mut self, now: Instant, until: Instant, pending: u64) {
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
            None if self.deadline.is_some() => {}
            None if self.asked => bounds.push(("the host's wish", self.gate_by)),
            None => bounds.push(("law 10: the schedule", self.latest.max(self.gate_by))),
        }
        if pending > 0 && self.flight.is_none() && self.collecting_until.is_none() {
            let slot = self.registration.waiting.map(|_| self.latest);
            let held = |number: &u64| self.held.get(number).map(|(_, by)| *by);
            let by = slot.or(self.registration.by).unwrap_or(now).max(self.gate_by);
            let by = self.held.keys().filter_map(held).fold(by, Instant::max);
            bounds.push(("law 2: what is pending", by));
            if let Some(usage) = &self.newest_usage {
                bounds.push(("law 2: usage", held(usage).unwrap_or(now).max(self.gate_by)));
            }
        }
        for (what, bound) in bounds {
            assert!(until <= bound, "{what} is overslept by {:?}", until - bound);
        }
    }

    pub(super) fn saw_stopped(&mut self, now: Instant) {
        assert!(self.gone || self.deadline.is_some(), "stopped for no reason");
        assert_eq!(self.taken, self.counts.delivered, "law 1: a delivery without an event");
        assert!(!self.to_store, "law 4: an acknowledgement is not stored");
        assert_eq!(self.counts.accepted, self.counts.delivered + self.counts.lost, "law 1");
        self.loud.check();
        if self.gone {
            self.loud.check_gone();
        }
        self.flight = None;
        self.newest_usage = None;
        self.deadline = Some(self.deadline.map_or(now, |deadline| deadline.min(now)));
    }

    // Inspect.

    /// Whether it was delivered or given up.
    pub(super) fn is_over(&self, number: u64) -> bool {
        !self.live.contains_key(&number)
    }

    /// Compares what waits with what is known: reports may be lost that nobody has named, dropped
    /// for want of room or at the end, and none besides.
    pub(super) fn check_pending(&self, pending: u64, bytes: usize) {
        let in_flight = self.flight.as_ref().map(|flight| flight.number);
        let waiting = self.live.iter().filter(|(number, _)| Some(**number) != in_flight);
        let sum: usize = waiting.map(|(_, size)| size).sum();
        if pending == self.live.len() as u64 {
            assert_eq!(bytes, sum, "law 6: the bytes of what waits");
        } else {
            assert!(pending < self.live.len() as u64 && bytes < sum, "law 6: {bytes} of {sum}");
        }
    }

    /// The attempt whose outcome can still be told.
    pub(super) fn awaited(&self) -> Option<Flight> {
        self.flight.clone().filter(|flight| !flight.silent)
    }

    pub(super) fn is_collecting(&self) -> bool {
        self.collecting_until.is_some()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.gone || self.deadline.is_some_and(|deadline| deadline <= self.told)
    }

    pub(super) fn usage_is_pending(&self) -> bool {
        self.newest_usage.is_some()
    }

    fn slot(&mut self, now: Instant) {
        self.asked = false;
        self.registration.slot(now);
        self.earliest = later(now, self.config.period);
        self.latest = later(now, self.config.period.saturating_add(self.config.jitter));
    }
}

pub(super) fn has_exact_stamp(time: SystemTime) -> bool {
    let epoch = SystemTime::UNIX_EPOCH;
    (epoch - STAMPS..epoch + STAMPS).contains(&time)
}
