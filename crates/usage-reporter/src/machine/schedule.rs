//! When usage is due.

use std::time::{Duration, Instant, SystemTime};

use super::random::Random;
use crate::config::Config;
use crate::state::{LastReport, State};
use crate::time::after;

/// The slots of usage reports. It runs on instants alone: the wall clock is read once, to judge the
/// state of the run before.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    due: Instant,
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
        let wait = match state.last_report(wall_now) {
            // Nothing was ever acknowledged, and nothing is on its way: new, or as good as new. No
            // two hosts of a fleet report at the same time.
            LastReport::Never if state.unacknowledged_key().is_none() => {
                random.below(config.period)
            }
            LastReport::Ago(elapsed) if elapsed < config.period => {
                config.period.saturating_sub(elapsed).saturating_add(random.below(config.jitter))
            }
            // On its way when the process ended, stamped in the future, or long ago: due. A fleet
            // that is switched on again starts together, and is spread like its registrations.
            LastReport::Never | LastReport::InTheFuture | LastReport::Ago(_) => {
                random.below(config.start_spread)
            }
        };
        let mut schedule = Self {
            due: after(now, wait),
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

    /// The host wants a report now.
    pub(crate) fn ask(&mut self, now: Instant) {
        self.asked = Some(now);
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
