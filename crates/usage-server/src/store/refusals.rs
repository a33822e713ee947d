//! Requests that were refused, counted by day and reason.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::Store;
use super::backend::Backend;
use super::error::StoreError;
use super::time_text::day_text;

/// How many requests were refused on a day for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DayRefusals {
    /// In UTC: `2026-11-27`.
    pub(super) day: String,
    pub(super) reason: String,
    pub(super) count: u64,
}

/// What was counted and is not stored yet. It grows with the days and the reasons, and not with the
/// requests: who is refused can be endlessly many.
#[derive(Debug, Default)]
pub(super) struct PendingRefusals(Mutex<BTreeMap<(String, &'static str), u64>>);

impl PendingRefusals {
    pub(super) fn add(&self, reason: &'static str) {
        self.add_many((day_text(SystemTime::now()), reason), 1);
    }

    fn add_many(&self, place: (String, &'static str), count: u64) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *pending.entry(place).or_default() += count;
    }

    /// Stores what was counted. What cannot be stored is kept for the next time. (Where a connection
    /// breaks after the commit and before its answer, it is counted twice.)
    pub(super) fn store(&self, backend: &dyn Backend) -> Result<(), StoreError> {
        let counted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counted.is_empty() {
            return Ok(());
        }
        let refusals: Vec<_> = counted
            .iter()
            .map(|((day, reason), count)| DayRefusals {
                day: day.clone(),
                reason: (*reason).to_owned(),
                count: *count,
            })
            .collect();
        backend.add_refusals(&refusals).inspect_err(|_| {
            for (place, count) in counted {
                self.add_many(place, count);
            }
        })
    }
}

impl Store {
    /// How many requests all servers of this database have refused, by
    /// [reason](crate::Refused::as_str), since the beginning of the day (in UTC) that a time is on. What
    /// another server has refused is there within a minute, or when it stops.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`], [`StoreError::Read`] or [`StoreError::Write`].
    pub fn refusals(&self, since: SystemTime) -> Result<BTreeMap<String, u64>, StoreError> {
        self.inner.refusals.store(self.backend())?;
        let mut by_reason = BTreeMap::new();
        for DayRefusals { reason, count, .. } in self.backend().refusals(&day_text(since))? {
            *by_reason.entry(reason).or_default() += count;
        }
        Ok(by_reason)
    }

    /// Counts a request that was refused. It waits for nothing.
    pub(crate) fn note_refusal(&self, reason: &'static str) {
        self.inner.refusals.add(reason);
    }
}
