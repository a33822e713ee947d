//! How large and how long transactions are.

use std::time::Duration;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// Told by whoever commits.
#[derive(Debug, Clone)]
pub(crate) struct CommitMeter {
    pub(crate) size: Histogram,
    pub(crate) seconds: Histogram,
}

impl CommitMeter {
    /// A transaction with so many jobs was committed, and took so long from its beginning.
    pub(crate) fn committed(&self, jobs: usize, took: Duration) {
        // A batch has a few hundred jobs at most.
        self.size.observe(u32::try_from(jobs).unwrap_or(u32::MAX).into());
        self.seconds.observe(took.as_secs_f64());
    }
}

impl Default for CommitMeter {
    fn default() -> Self {
        Self {
            // 1 to 1024.
            size: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            // 0.5 ms to 16 s.
            seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 16)),
        }
    }
}
