//! What may happen when: bounds that are derived from what was told and seen, and from nothing
//! inside the reporter.

mod inputs;
mod outputs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use usage_reporter::{AttemptId, Config, ReportKind, State};

use super::case::Outcome;
use super::life::later;
use super::loud::Loud;
use super::place::Place;
use super::registration::Registration;
use super::slot::FirstSlot;

/// Stamps are exact up to 292 years before and after 1970.
const STAMPS: Duration = Duration::from_secs(290 * 365 * 86_400);

/// What fails for its certificate in this time is tried once more.
const AT_START: Duration = Duration::from_secs(15 * 60);

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
    /// Whether the slot had passed before the start; unknown if the wall clock is beyond all stamps.
    is_late: Option<bool>,
    last_question: LastQuestion,
    registration: Registration,
    /// Reports for an address of the past: not before the first, and by the second of these.
    held: BTreeMap<u64, (Instant, Instant)>,
    /// Reports that may go anywhere, whatever was before.
    pub(super) unbound: Vec<u64>,
    /// Lost registrations that the API refused, as events have it.
    refused: u64,
    pub(super) deadline: Option<Instant>,
    gone: bool,
    /// A certificate that is not accepted may be the fault of a clock before this.
    clock_is_set_by: Instant,
    /// Reports whose certificate failed, and that were tried once more.
    blamed: BTreeSet<u64>,
    /// Reports that met a page alone, and wait for the next slot.
    kept: BTreeSet<u64>,
    /// The sizes of reports that were taken and are not known to be over.
    live: BTreeMap<u64, usize>,
    newest_usage: Option<u64>,
    usages: u64,
    superseded: u64,
    /// Answers that the API took a report.
    taken: u64,
    /// When usage was last acknowledged to this process, and how long the machine slept since.
    acknowledged: Option<(Instant, Duration)>,
    pub(super) loud: Loud,
    /// The usage report that was tried last, if it is to be tried again.
    tried_usage: Option<u64>,
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
        let slot = FirstSlot::new(&config, state, wall_now);
        Self {
            told: now,
            flight: None,
            counts: Counts::default(),
            place,
            floor: now,
            gate_by: now,
            collecting_until: None,
            earliest: later(now, slot.earliest),
            latest: later(now, slot.latest),
            is_late: slot.is_late,
            asked: false,
            last_question: LastQuestion::default(),
            registration: Registration::default(),
            held: BTreeMap::new(),
            unbound: Vec::new(),
            refused: 0,
            deadline: None,
            gone: false,
            clock_is_set_by: later(now, AT_START),
            blamed: BTreeSet::new(),
            kept: BTreeSet::new(),
            live: BTreeMap::new(),
            newest_usage: None,
            usages: 0,
            superseded: 0,
            taken: 0,
            acknowledged: None,
            to_store: false,
            before: state.clone(),
            loud: Loud::new(period),
            tried_usage: None,
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
            self.collecting_until = None;
            self.last_question = LastQuestion::default();
        }
        now
    }

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

    /// Whether usage is taken: until a close, and then as the answer to the last question.
    pub(super) fn takes_usage(&self) -> bool {
        self.deadline.is_none() || self.is_collecting()
    }

    /// Whether nothing more can be sent, or perhaps nothing: the gate may be closed until then.
    pub(super) fn is_hopeless(&self) -> bool {
        self.has_ended() || self.deadline.is_some_and(|deadline| self.gate_by >= deadline)
    }

    /// Whether an acknowledgement is to be stored.
    pub(super) fn acknowledges(&self) -> bool {
        self.to_store
    }

    pub(super) fn usage_is_pending(&self) -> bool {
        self.newest_usage.is_some()
    }

    fn slot(&mut self, now: Instant) {
        self.asked = false;
        self.is_late = Some(false);
        self.registration.slot(now);
        self.kept.clear();
        self.earliest = later(now, self.config.period);
        self.latest = later(now, self.config.period.saturating_add(self.config.jitter));
    }
}

/// A question for numbers after a close, for usage that was due.
#[derive(Debug, Clone, Copy, Default)]
struct LastQuestion {
    may_come: bool,
    must_come: bool,
}

pub(super) fn has_exact_stamp(time: SystemTime) -> bool {
    let epoch = SystemTime::UNIX_EPOCH;
    (epoch - STAMPS..epoch + STAMPS).contains(&time)
}
