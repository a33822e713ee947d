//! What can be said of a database without reading all of it.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::kind::Kind;

/// How much there is, and how old it is. Each list is in the order of [`Kind::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Figures {
    /// Reports, up to the last one that was counted; `None` before all were.
    pub(crate) reports: Option<[u64; Kind::ALL.len()]>,
    /// When the oldest report was stored; `None` without one.
    pub(crate) oldest: [Option<SystemTime>; Kind::ALL.len()],
    /// What the database takes on its disk.
    pub(crate) bytes: u64,
    /// When a server had last pruned all that was too old.
    pub(crate) pruned_at: Option<SystemTime>,
}

/// The figures of a moment ago, for whoever asks often.
#[derive(Debug, Default)]
pub(super) struct LatestFigures(Mutex<Option<Figures>>);

impl LatestFigures {
    /// `None` if they are not known, or not any more.
    pub(super) fn get(&self) -> Option<Figures> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, figures: Option<Figures>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }
}
