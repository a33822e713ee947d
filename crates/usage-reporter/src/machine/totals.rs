//! Every report that was taken is delivered, lost or pending.

use crate::event::{Event, LossReason};
use crate::report_kind::ReportKind;

/// The accounts, and the losses that the host has not been told yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    /// At most one entry for each kind and reason: a flood that nobody polls for grows the counts
    /// and no list.
    untold: Vec<(ReportKind, LossReason, u64)>,
}

impl Totals {
    pub(crate) fn lose(&mut self, report: ReportKind, reason: LossReason) {
        self.lost += 1;
        let known =
            |entry: &&mut (ReportKind, LossReason, u64)| (entry.0, entry.1) == (report, reason);
        match self.untold.iter_mut().find(known) {
            Some((_, _, count)) => *count += 1,
            None => self.untold.push((report, reason, 1)),
        }
    }

    /// The oldest loss that the host has not been told.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        if self.untold.is_empty() {
            return None;
        }
        let (report, reason, count) = self.untold.remove(0);
        if self.untold.is_empty() {
            // An idle reporter holds no buffers.
            self.untold = Vec::new();
        }
        Some(Event::Lost { report, reason, count })
    }
}
