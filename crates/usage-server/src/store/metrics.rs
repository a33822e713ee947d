use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`Store`](crate::Store) has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// Transactions that stored something. Fewer than [`stored`](Self::stored) when reports came
    /// faster than the disk could make each of them durable on its own.
    pub commits: u64,
    /// Reports and tokens stored.
    pub stored: u64,
    /// Reports whose idempotency key was known, and that were not stored again.
    pub repeated: u64,
    /// What waits for its transaction right now.
    pub waiting: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) stored: AtomicU64,
    pub(super) repeated: AtomicU64,
    /// Counted when a job is in the queue, not on its way to it: it may be answered before.
    pub(super) queued: AtomicU64,
    pub(super) answered: AtomicU64,
}

impl Counters {
    pub(super) fn snapshot(&self) -> Metrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Metrics {
            commits: read(&self.commits),
            stored: read(&self.stored),
            repeated: read(&self.repeated),
            waiting: read(&self.queued).saturating_sub(read(&self.answered)),
        }
    }
}
