//! Peak over mean, in the stretches of time that have a bound.

use std::ops::Range;
use std::time::Duration;

use crate::HOUR;
use crate::fleet::{BIN, Load, Scenario};

/// The period of the default configuration.
pub(crate) const PERIOD: Duration = HOUR.saturating_mul(12);

/// The load in all stretches, against the mean of the steady one.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    pub(crate) stretches: [Stretch; 4],
    /// Requests per second, outside the first period and the outage.
    pub(crate) mean: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    pub(crate) name: &'static str,
    /// Requests per second.
    pub(crate) mean: f64,
    /// Requests per second, in the busiest bin.
    pub(crate) peak: f64,
    /// What the peak may be of the steady mean.
    pub(crate) bound: Option<f64>,
}

impl Summary {
    pub(crate) fn new(scenario: &Scenario, load: &Load) -> Self {
        let rate = |range: Range<Duration>| rates(load, range);
        let (from, to) = scenario.outage;
        let mut steady = rate(PERIOD..from);
        steady.extend(rate(to..scenario.length));
        let stretch = |name, rates: &[f64], bound| Stretch {
            name,
            mean: mean(rates),
            peak: rates.iter().copied().fold(0.0, f64::max),
            bound,
        };
        Self {
            mean: mean(&steady),
            stretches: [
                stretch("in the first period", &rate(Duration::ZERO..PERIOD), None),
                stretch("outside the first period and the outage", &steady, Some(1.2)),
                stretch("in the outage", &rate(from..to), Some(4.5)),
                stretch("in the 12 hours after it", &rate(to..to + PERIOD), Some(1.3)),
            ],
        }
    }

    /// Whether every bound is kept.
    pub(crate) fn holds(&self) -> bool {
        self.stretches
            .iter()
            .all(|stretch| stretch.bound.is_none_or(|bound| self.peak_over_mean(stretch) <= bound))
    }

    pub(crate) fn peak_over_mean(&self, stretch: &Stretch) -> f64 {
        stretch.peak / self.mean
    }
}

/// Requests per second in each bin of a stretch.
pub(crate) fn rates(load: &Load, range: Range<Duration>) -> Vec<f64> {
    let bin = |time: Duration| usize::try_from(time.as_secs() / BIN.as_secs()).unwrap_or(0);
    let bins = load.bins.get(bin(range.start)..bin(range.end)).unwrap_or_default();
    bins.iter().map(|count| float(*count) / BIN.as_secs_f64()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

fn mean(rates: &[f64]) -> f64 {
    rates.iter().sum::<f64>() / float(rates.len() as u64)
}
