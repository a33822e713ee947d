//! What the host tells.

use std::time::{Duration, Instant};

use usage_reporter::ReportKind;

use super::super::case::Outcome;
use super::super::life::later;
use super::super::place::Place;
use super::super::registration::Went;
use super::{Flight, LastQuestion, Model};

/// The longest wait for a clock that is set.
const CLOCK_SETS_IN: Duration = Duration::from_secs(4 * 60);

impl Model {
    pub(in super::super) fn accepted(&mut self, now: Instant, report: (u64, ReportKind, usize)) {
        let (number, kind, size) = report;
        let is_last = kind == ReportKind::Usage && self.takes_usage();
        assert!((self.deadline.is_none() || is_last) && !self.gone, "taken after the end");
        self.counts.accepted += 1;
        self.live.insert(number, size);
        let in_flight = self.flight.as_ref().map(|flight| flight.number);
        match kind {
            ReportKind::Usage => {
                if let Some(older) = self.newest_usage.filter(|older| Some(*older) != in_flight) {
                    self.live.remove(&older);
                    if self.tried_usage == Some(older) {
                        self.loud.given_up(now, kind);
                        self.failures += 1;
                    }
                }
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

    pub(super) fn drop_registration(&mut self) {
        let flight = self.flight.as_ref().filter(|flight| flight.kind == ReportKind::Server);
        self.registration.dropped(flight.map(|flight| flight.number));
    }

    pub(in super::super) fn collect_failed(&mut self) {
        self.collecting_until = None;
    }

    pub(in super::super) fn asked(&mut self) {
        self.asked |= self.collecting_until.is_none() && self.deadline.is_none();
    }

    /// The host reports elsewhere, or with another token; `bound` has to go where it was sent.
    pub(in super::super) fn changed(&mut self, place: Place, bound: impl Iterator<Item = u64>) {
        let moved = !place.is_at(&self.place);
        if moved {
            for number in bound {
                let (floor, by) = self.held.entry(number).or_insert((self.floor, self.gate_by));
                (*floor, *by) = (self.floor.max(*floor), self.gate_by.max(*by));
            }
            self.floor = self.told;
            self.kept.clear();
        }
        if place != self.place
            && let Some(number) = self.registration.changed(moved, self.told)
        {
            self.free(number);
        }
        self.place = place;
    }

    /// The machine slept for this time, and the clock stood still. Tells whether that matters.
    pub(in super::super) fn slept(&mut self, time: Duration) -> bool {
        if self.has_ended() || self.deadline.is_some() {
            return false;
        }
        let now = self.told;
        let left = |at: Instant| at.saturating_duration_since(now);
        let (first, last) = (left(self.earliest), left(self.latest));
        if first <= time && !last.is_zero() {
            // What is due by then is spread, and not beyond its time.
            let spread = self.config.start_spread.min(last);
            self.latest = now + spread.max(last.saturating_sub(time));
            let was_late = self.is_late == Some(true) || !first.is_zero() && last <= time;
            self.is_late = was_late.then_some(true);
        } else {
            self.latest = self.latest.min(now + last.saturating_sub(time));
        }
        self.earliest = self.earliest.min(now + first.saturating_sub(time));
        if let Some((_, slept)) = &mut self.acknowledged {
            *slept += time;
        }
        true
    }

    pub(in super::super) fn closed(&mut self, deadline: Instant) {
        if self.has_ended() {
            return;
        }
        if self.deadline.is_none() {
            self.registration.hurry(self.told);
            if self.collecting_until.is_none() {
                let is_late = self.is_late == Some(true);
                self.last_question = LastQuestion {
                    may_come: self.asked
                        || self.is_late != Some(false)
                        || self.earliest <= self.told,
                    must_come: self.asked || is_late || self.latest <= self.told,
                };
            }
        }
        self.deadline = Some(self.deadline.map_or(deadline, |other| other.min(deadline)));
    }

    /// What is known of the attempt in flight.
    pub(in super::super) fn outcome(&mut self, now: Instant, outcome: Outcome) {
        let Some(flight) = self.flight.take() else { return };
        let moved = !flight.place.is_at(&self.place);
        let again = self.is_tried_once_more(now, &flight, outcome);
        let outcome = if again { Outcome::NotConnected } else { outcome };
        let config = &self.config;
        let newest = flight.kind == ReportKind::Usage && self.newest_usage == Some(flight.number);
        let retried = match outcome {
            Outcome::Saved => {
                self.taken += 1;
                if flight.kind == ReportKind::Usage {
                    let gap = config.period.saturating_add(config.jitter);
                    self.earliest = self.earliest.max(later(now, config.period));
                    self.latest = self.latest.max(later(now, gap));
                    self.acknowledged = Some((now, Duration::ZERO));
                    self.to_store = true;
                }
                false
            }
            Outcome::Status(410) if !moved => {
                self.gone = true;
                self.newest_usage = None;
                false
            }
            outcome if outcome.is_final() => false,
            Outcome::Page if !moved => true,
            _ => flight.attempt < config.retry.attempts,
        };
        let overtaken = !newest && flight.kind == ReportKind::Usage;
        let is_lost = !retried || overtaken;
        let is_kept = !is_lost && flight.attempt >= config.retry.attempts;
        if is_kept && flight.kind != ReportKind::Server {
            self.kept.insert(flight.number);
        }
        let is_given_up = is_lost || is_kept && self.deadline.is_none();
        if outcome == Outcome::Saved {
            self.loud.delivered(flight.kind);
        } else if flight.kind != ReportKind::Server && !self.gone {
            self.loud.failed(now, flight.kind, is_given_up);
        }
        if flight.kind == ReportKind::Usage {
            self.tried_usage = (newest && retried).then_some(flight.number);
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
            self.registration_outcome(now, &flight, outcome);
        }
        self.make_room();
    }

    /// Shortly after a start a clock may be wrong: the certificate is looked at again in minutes.
    fn is_tried_once_more(&mut self, now: Instant, flight: &Flight, outcome: Outcome) -> bool {
        let again = outcome == Outcome::Certificate
            && flight.place.is_at(&self.place)
            && now < self.clock_is_set_by
            && flight.attempt < self.config.retry.attempts
            && self.is_newest(flight)
            && self.blamed.insert(flight.number);
        if again {
            self.held.insert(flight.number, (now, later(now, CLOCK_SETS_IN)));
        }
        again
    }

    /// Whether nothing newer has taken the place of a report.
    fn is_newest(&self, flight: &Flight) -> bool {
        match flight.kind {
            ReportKind::Usage => self.newest_usage == Some(flight.number),
            ReportKind::Server => self.registration.pending(None) == Some(flight.number),
            _ => true,
        }
    }

    fn registration_outcome(&mut self, now: Instant, flight: &Flight, outcome: Outcome) {
        let moved = !flight.place.is_at(&self.place);
        let is_draining = self.deadline.is_some();
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

    /// Nothing binds a report to where it went before.
    fn free(&mut self, number: u64) {
        self.held.remove(&number);
        self.unbound.push(number);
    }

    pub(in super::super) fn silence(&mut self) {
        if let Some(flight) = &mut self.flight {
            flight.silent = true;
        }
    }
}
