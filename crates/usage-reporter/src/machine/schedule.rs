//! When usage is due.

use std::time::{Duration, Instant, SystemTime};

use super::random::Random;
use crate::config::Config;
use crate::state::{FirstSlot, State};
use crate::time::after;

/// The slots of usage reports. It runs on instants alone: the wall clock is read once, to judge the
/// state of the run before.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    due: Instant,
    /// The slot has passed before this start: it waits for nothing but to be spread.
    is_late: bool,
    /// From the slot that has begun to the next.
    gap: Duration,
    /// The host wants a report out of turn.
    asked: Option<Instant>,
    /// The host has been asked for numbers, and has until then.
    collecting_until: Option<Instant>,
}

impl Schedule {
    pub(crate) fn new(
        config: &Config,
        state: &State,
        now: Instant,
        wall_now: SystemTime,
        random: &mut Random,
    ) -> Self {
        let slot = state.first_slot(config, wall_now);
        let wait = match slot {
            // No two hosts of a fleet report at the same time.
            FirstSlot::New => random.below(config.period),
            FirstSlot::Drawn(left) => left,
            FirstSlot::After(rest) => rest.saturating_add(random.below(config.jitter)),
            // A fleet that is switched on again starts together, and is spread like its
            // registrations. What was missed in a minute is spread over a minute: a program that
            // never lives for long gets to report all the same.
            FirstSlot::Late(by) => random.below(config.start_spread.min(by)),
        };
        let mut schedule = Self {
            due: after(now, wait),
            is_late: matches!(slot, FirstSlot::Late(_)),
            gap: Duration::ZERO,
            asked: None,
            collecting_until: None,
        };
        schedule.draw_gap(config, random);
        schedule
    }

    /// A slot begins. The next one is set now, so that nothing that becomes of this one can hold
    /// the schedule up: a report that fails waits for the next slot like one that succeeds.
    pub(crate) fn begin(&mut self, now: Instant, config: &Config, random: &mut Random) {
        self.asked = None;
        self.is_late = false;
        self.draw_gap(config, random);
        self.due = after(now, self.gap);
    }

    /// The slot begins with a question to the host.
    pub(crate) fn collect(&mut self, now: Instant, config: &Config, random: &mut Random) {
        self.begin(now, config, random);
        self.collecting_until = Some(after(now, config.collect_timeout));
    }

    /// The host has answered. Tells whether it had been asked.
    pub(crate) fn collected(&mut self) -> bool {
        self.collecting_until.take().is_some()
    }

    /// A report was acknowledged: the period counts from here, as it does after a restart.
    pub(crate) fn acknowledged(&mut self, now: Instant) {
        self.due = self.due.max(after(now, self.gap));
    }

    /// The host wants a report now. Where numbers are being collected, they are the report.
    pub(crate) fn ask(&mut self, now: Instant) {
        if self.collecting_until.is_none() {
            self.asked = Some(now);
        }
    }

    /// No slot begins any more, but for one that has passed: it waits for its spread no longer.
    pub(crate) fn close(&mut self, now: Instant) {
        if self.is_late || self.due <= now {
            self.ask(now);
        }
    }

    /// The machine slept for `length`, and this clock stood still. The slot comes that much sooner;
    /// one that has passed is spread as at a start. It never comes later than it would have.
    pub(crate) fn slept(
        &mut self,
        now: Instant,
        length: Duration,
        config: &Config,
        random: &mut Random,
    ) {
        let left = self.due.saturating_duration_since(now);
        if left.is_zero() {
            return;
        }
        let wait = left.checked_sub(length).filter(|wait| !wait.is_zero());
        self.is_late |= wait.is_none();
        self.due = after(
            now,
            wait.unwrap_or_else(|| {
                random.below(config.start_spread.min(left).min(length.saturating_sub(left)))
            }),
        );
    }

    /// There is no time left to collect anything.
    pub(crate) fn end(&mut self) {
        self.asked = None;
        self.collecting_until = None;
    }

    /// When the host was asked for a report out of turn, or for a last one.
    pub(crate) fn asked(&self) -> Option<Instant> {
        self.asked
    }

    /// When the next slot begins.
    pub(crate) fn slot(&self) -> Instant {
        self.due
    }

    pub(crate) fn due(&self) -> Instant {
        self.asked.map_or(self.due, |asked| asked.min(self.due))
    }

    pub(crate) fn collecting_until(&self) -> Option<Instant> {
        self.collecting_until
    }

    fn draw_gap(&mut self, config: &Config, random: &mut Random) {
        self.gap = config.period.saturating_add(random.below(config.jitter));
    }
}
