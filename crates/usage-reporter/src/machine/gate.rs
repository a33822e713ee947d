//! When the API may be asked again.

use std::time::{Duration, Instant};

use super::random::Random;
use crate::config::RetryPolicy;
use crate::time::after;

/// One gate for every request of the host: the API that has just failed a usage report would fail
/// the statistics behind it too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    /// Failures in a row that a retry may mend.
    failures: u32,
    /// Nothing is sent before; in the past once it is over.
    closed_until: Option<Instant>,
}

impl Gate {
    /// The API failed, and may not fail later.
    pub(crate) fn failed(
        &mut self,
        now: Instant,
        policy: RetryPolicy,
        floor: Option<Duration>,
        random: &mut Random,
    ) {
        let wait = pause(self.failures, policy, floor, random);
        self.failures = self.failures.saturating_add(1);
        self.closed_until = Some(after(now, wait));
    }

    /// The API answered with sense: it is there. It can still ask for a pause.
    pub(crate) fn alive(&mut self, now: Instant, floor: Option<Duration>, random: &mut Random) {
        self.failures = 0;
        if let Some(floor) = floor {
            self.closed_until = Some(after(now, spread(floor, Duration::ZERO, random)));
        }
    }

    /// When a request may be sent, at `now` or later.
    pub(crate) fn opens(&self, now: Instant) -> Instant {
        self.closed_until.map_or(now, |until| until.max(now))
    }
}

/// How long to wait after one more failure than `failures`.
pub(crate) fn pause(
    failures: u32,
    policy: RetryPolicy,
    floor: Option<Duration>,
    random: &mut Random,
) -> Duration {
    let doubled = policy.base.saturating_mul(1 << failures.min(31)).min(policy.cap);
    spread(floor.unwrap_or_default(), doubled, random)
}

/// A `Retry-After` that is a date is the same instant for every host. Without a spread that grows
/// with it, all of them would come back together.
fn spread(floor: Duration, spread: Duration, random: &mut Random) -> Duration {
    floor.saturating_add(random.below(spread.max(floor / 2)))
}
