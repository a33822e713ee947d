//! How often, how hard, and how much.

use std::time::Duration;

use usage_proto::Deadlines;

const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// How a reporter behaves. Everything has a default.
///
/// A time above a hundred years is as good as never.
///
/// ```
/// use std::time::Duration;
/// use usage_reporter::{Config, RetryPolicy};
///
/// let config = Config::every(Duration::from_secs(60 * 60)).retry(RetryPolicy::new().attempts(2));
/// assert_eq!(config.jitter, Duration::from_secs(5 * 60));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The least time from one usage report to the next; 12 hours unless set.
    pub period: Duration,
    /// How much is added to a period at the most, drawn anew for each; a twelfth of the period
    /// unless set. It keeps hosts from falling into step.
    pub jitter: Duration,
    /// How far the requests of a start are spread: the registration of the server, and usage that
    /// is overdue by then; 10 minutes unless set, or the period if that is shorter. It is not above
    /// the period. A close does not wait for it.
    ///
    /// The first usage of a host without state is spread over a whole period.
    pub start_spread: Duration,
    /// How often and when a failed attempt is repeated.
    pub retry: RetryPolicy,
    /// How much may wait to be sent.
    pub pending: PendingLimits,
    /// How long an attempt may go unanswered before it counts as failed; 2 minutes unless set,
    /// twice the total deadline of an adapter ([`Deadlines::total`]).
    pub attempt_timeout: Duration,
    /// How long [`Action::Collect`](crate::Action::Collect) may go unanswered; 1 minute unless
    /// set.
    pub collect_timeout: Duration,
}

impl Config {
    /// Usage every 12 hours.
    #[must_use]
    pub fn new() -> Self {
        Self::every(12 * HOUR)
    }

    /// Usage every `period`, with a jitter and a spread at the start that fit it.
    #[must_use]
    pub fn every(period: Duration) -> Self {
        Self {
            period,
            jitter: period / 12,
            start_spread: period.min(10 * MINUTE),
            retry: RetryPolicy::new(),
            pending: PendingLimits::new(),
            attempt_timeout: Deadlines::new().total.saturating_mul(2),
            collect_timeout: MINUTE,
        }
    }

    /// Sets [`jitter`](Self::jitter).
    #[must_use]
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets [`start_spread`](Self::start_spread).
    #[must_use]
    pub fn start_spread(mut self, spread: Duration) -> Self {
        self.start_spread = spread;
        self
    }

    /// Sets [`retry`](Self::retry).
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets [`pending`](Self::pending).
    #[must_use]
    pub fn pending(mut self, limits: PendingLimits) -> Self {
        self.pending = limits;
        self
    }

    /// Sets [`attempt_timeout`](Self::attempt_timeout).
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Sets [`collect_timeout`](Self::collect_timeout).
    #[must_use]
    pub fn collect_timeout(mut self, limit: Duration) -> Self {
        self.collect_timeout = limit;
        self
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let times = [
            ("period", self.period),
            ("retry.base", self.retry.base),
            ("attempt_timeout", self.attempt_timeout),
            ("collect_timeout", self.collect_timeout),
        ];
        if let Some((field, _)) = times.into_iter().find(|(_, time)| time.is_zero()) {
            return Err(ConfigError::Zero { field });
        }
        let counts = [
            ("retry.attempts", self.retry.attempts == 0),
            ("pending.items", self.pending.items == 0),
            ("pending.bytes", self.pending.bytes == 0),
        ];
        if let Some((field, _)) = counts.into_iter().find(|(_, zero)| *zero) {
            return Err(ConfigError::Zero { field });
        }
        if self.jitter > self.period {
            return Err(ConfigError::Jitter { jitter: self.jitter, period: self.period });
        }
        if self.start_spread > self.period {
            let (spread, period) = (self.start_spread, self.period);
            return Err(ConfigError::StartSpread { spread, period });
        }
        if self.retry.cap < self.retry.base {
            return Err(ConfigError::Cap { cap: self.retry.cap, base: self.retry.base });
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// How often and when a failed attempt is repeated: exponential back-off with full jitter.
///
/// After the *n*-th failure in a row, of this report and those before it, comes a wait that is
/// uniform from zero to `base · 2ⁿ⁻¹`, or to `cap` if that is less. `Retry-After` is a floor: the
/// wait is added to it, and is uniform at least up to half of it. As a date it may be the same for
/// all hosts, and they would come back together.
///
/// More attempts would not be kinder: all hosts repeat during an outage, and the load on what is
/// left of the API is the number of attempts times the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many attempts a report gets, the first one included; 4 unless set.
    pub attempts: u32,
    /// The longest wait after the first failure; 5 seconds unless set.
    pub base: Duration,
    /// The longest wait after any failure; 5 minutes unless set.
    pub cap: Duration,
}

impl RetryPolicy {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { attempts: 4, base: Duration::from_secs(5), cap: Duration::from_secs(5 * 60) }
    }

    /// Sets [`attempts`](Self::attempts).
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets [`base`](Self::base).
    #[must_use]
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets [`cap`](Self::cap).
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// How much may wait to be sent. What is being sent comes on top: one report.
///
/// When there is no room, the oldest statistics go first, then the registration; the newest usage
/// is never dropped. A registration that cannot get through takes a place until it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingLimits {
    /// How many reports; 64 unless set.
    pub items: usize,
    /// How many bytes their bodies and paths have together; 1 MiB unless set. A single report
    /// above it is refused.
    pub bytes: usize,
}

impl PendingLimits {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { items: 64, bytes: 1 << 20 }
    }

    /// Sets [`items`](Self::items).
    #[must_use]
    pub const fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Sets [`bytes`](Self::bytes).
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

impl Default for PendingLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// A configuration that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A time or a number is zero that must not be.
    #[error(
        "`{field}` is zero: nothing would ever be sent, or without a pause; set more than that"
    )]
    #[non_exhaustive]
    Zero {
        /// The field of [`Config`].
        field: &'static str,
    },
    /// The jitter is longer than the period.
    #[error("the jitter of {jitter:?} is above the period of {period:?}: set it below")]
    #[non_exhaustive]
    Jitter {
        /// What was set.
        jitter: Duration,
        /// The period.
        period: Duration,
    },
    /// The requests of a start are spread over more than a period.
    #[error(
        "the requests of a start are spread over {spread:?}, which is above the period of \
         {period:?}: set `start_spread` below"
    )]
    #[non_exhaustive]
    StartSpread {
        /// What was set.
        spread: Duration,
        /// The period.
        period: Duration,
    },
    /// The longest wait between attempts is shorter than the first.
    #[error("the back-off has a cap of {cap:?} below its base of {base:?}: raise the cap")]
    #[non_exhaustive]
    Cap {
        /// What was set.
        cap: Duration,
        /// The base.
        base: Duration,
    },
}
