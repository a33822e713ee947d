//! When the API may be asked again.

use std::time::{Duration, Instant};

use crate::config::RetryPolicy;
use crate::random::Random;
use crate::time::after;

/// One gate for every request of the host: the API that has just failed a usage report would fail
/// the statistics behind it too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    /// Failures in a row that a retry may mend.
    failures: u32,
    /// Nothing is sent before; in the past once it is over.
    closed_until: Option<Instant>,
}

impl Backoff {
    /// The API failed, and may not fail later.
    pub(crate) fn failed(
        &mut self,
        now: Instant,
        policy: RetryPolicy,
        floor: Option<Duration>,
        random: &mut Random,
    ) {
        let doubled = policy.base.saturating_mul(1 << self.failures.min(31)).min(policy.cap);
        self.failures = self.failures.saturating_add(1);
        self.close(now, doubled, floor.unwrap_or_default(), random);
    }

    /// The API answered with sense: it is there. It can still ask for a pause.
    pub(crate) fn alive(&mut self, now: Instant, floor: Option<Duration>, random: &mut Random) {
        self.failures = 0;
        if let Some(floor) = floor {
            self.close(now, Duration::ZERO, floor, random);
        }
    }

    /// When a request may be sent, at `now` or later.
    pub(crate) fn opens(&self, now: Instant) -> Instant {
        self.closed_until.map_or(now, |until| until.max(now))
    }

    /// A `Retry-After` that is a date is the same instant for every host. Without a spread that
    /// grows with it, all of them would come back together.
    fn close(&mut self, now: Instant, spread: Duration, floor: Duration, random: &mut Random) {
        let wait = floor.saturating_add(random.below(spread.max(floor / 2)));
        let until = after(now, wait);
        // A gate that is closed longer stays closed.
        self.closed_until = Some(self.closed_until.map_or(until, |already| already.max(until)));
    }
}
