use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use super::kind::Kind;

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
    /// Reports that were deleted since they were too old.
    pub pruned: u64,
    /// When pruning last came to its end: milliseconds since 1970; 0 if it never did.
    pub pruned_at: u64,
    /// Whether pruning goes on for longer than it should: reports become too old faster than they
    /// are deleted.
    pub pruning_is_behind: bool,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) stored: AtomicU64,
    pub(super) repeated: AtomicU64,
    /// Counted when a job is in the queue, not on its way to it: it may be answered before.
    pub(super) queued: AtomicU64,
    pub(super) answered: AtomicU64,
    pub(super) pruning: Pruning,
}

/// What the upkeep does.
#[derive(Debug, Default)]
pub(super) struct Pruning {
    /// In the order of [`Kind::ALL`].
    pruned: [AtomicU64; Kind::ALL.len()],
    pub(super) behind: AtomicBool,
    finished_at: AtomicU64,
}

impl Pruning {
    pub(super) fn add(&self, kind: Kind, count: u64) {
        for (pruned, _) in self.pruned.iter().zip(Kind::ALL).filter(|(_, of)| *of == kind) {
            pruned.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(super) fn of(&self, kind: Kind) -> u64 {
        let pruned = self.pruned.iter().zip(Kind::ALL).filter(|(_, of)| *of == kind);
        pruned.map(|(count, _)| count.load(Ordering::Relaxed)).sum()
    }

    /// All was pruned that was to be.
    pub(super) fn finished(&self) {
        self.behind.store(false, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.finished_at.store(now, Ordering::Relaxed);
    }
}

impl Counters {
    pub(super) fn snapshot(&self) -> Metrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Metrics {
            commits: read(&self.commits),
            stored: read(&self.stored),
            repeated: read(&self.repeated),
            waiting: read(&self.queued).saturating_sub(read(&self.answered)),
            pruned: Kind::ALL.into_iter().map(|kind| self.pruning.of(kind)).sum(),
            pruned_at: read(&self.pruning.finished_at),
            pruning_is_behind: self.pruning.behind.load(Ordering::Relaxed),
        }
    }
}
