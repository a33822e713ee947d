//! What waits to be sent.

use std::collections::VecDeque;
use std::time::Instant;

use crate::config::PendingLimits;
use crate::events::LossReason;
use crate::ledger::Ledger;
use crate::report::{Report, ReportKind};

/// At most one registration, at most one usage report, and statistics in the order they came.
///
/// The boxes keep an idle reporter small.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    server: Option<Box<Report>>,
    usage: Option<Box<Report>>,
    stats: VecDeque<Report>,
    bytes: usize,
}

impl Pending {
    /// Takes a new report, which is the newest of its kind.
    pub(crate) fn push(&mut self, report: Report, limits: PendingLimits, ledger: &mut Ledger) {
        let kind = report.kind();
        self.bytes += report.size();
        let older = match kind {
            ReportKind::Server => self.server.replace(Box::new(report)),
            ReportKind::Usage => self.usage.replace(Box::new(report)),
            ReportKind::Stats => {
                self.stats.push_back(report);
                None
            }
        };
        if let Some(older) = older {
            self.bytes -= older.size();
            ledger.lose(kind, LossReason::Superseded);
        }
        self.make_room(limits, ledger);
    }

    /// Whether a report has come meanwhile that says the same with newer numbers.
    pub(crate) fn has_newer_than(&self, report: &Report) -> bool {
        match report.kind() {
            ReportKind::Server => self.server.is_some(),
            ReportKind::Usage => self.usage.is_some(),
            ReportKind::Stats => false,
        }
    }

    /// Takes back a report that was tried and is to be tried again. There is none that is newer.
    pub(crate) fn put_back(&mut self, report: Report, limits: PendingLimits, ledger: &mut Ledger) {
        if report.kind() == ReportKind::Stats {
            self.bytes += report.size();
            self.stats.push_front(report);
            self.make_room(limits, ledger);
        } else {
            self.push(report, limits, ledger);
        }
    }

    /// The report that goes out next at `now`: first what tells who the server is, then usage,
    /// then the oldest statistics.
    pub(crate) fn next(&mut self, now: Instant, with_usage: bool) -> Option<&mut Report> {
        let server = self.server.as_deref_mut().filter(|report| report.not_before <= now);
        let usage = self.usage.as_deref_mut().filter(|_| with_usage);
        server.or(usage).or(self.stats.front_mut())
    }

    /// Takes out what [`next`](Self::next) of this kind is.
    pub(crate) fn take(&mut self, kind: ReportKind) -> Option<Report> {
        let report = match kind {
            ReportKind::Server => self.server.take().map(|report| *report),
            ReportKind::Usage => self.usage.take().map(|report| *report),
            ReportKind::Stats => {
                let first = self.stats.pop_front();
                if self.stats.is_empty() {
                    // An idle reporter holds no buffers.
                    self.stats = VecDeque::new();
                }
                first
            }
        }?;
        self.bytes -= report.size();
        Some(report)
    }

    /// When the first of these reports may go out, as far as it goes by them.
    pub(crate) fn ready_at(&self, now: Instant, with_usage: bool) -> Option<Instant> {
        if !self.stats.is_empty() || (with_usage && self.usage.is_some()) {
            return Some(now);
        }
        self.server.as_ref().map(|report| report.not_before.max(now))
    }

    /// Loses the registration if it is not due before `deadline`.
    pub(crate) fn lose_what_is_late(&mut self, deadline: Instant, ledger: &mut Ledger) {
        if self.server.as_ref().is_some_and(|report| report.not_before >= deadline) {
            self.lose(ReportKind::Server, LossReason::Closed, ledger);
        }
    }

    pub(crate) fn lose_all(&mut self, reason: LossReason, ledger: &mut Ledger) {
        for kind in [ReportKind::Server, ReportKind::Usage, ReportKind::Stats] {
            while self.lose(kind, reason, ledger) {}
        }
    }

    pub(crate) fn items(&self) -> usize {
        usize::from(self.server.is_some()) + usize::from(self.usage.is_some()) + self.stats.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items() == 0
    }

    /// Statistics go before the registration, and that before usage. One report always fits.
    fn make_room(&mut self, limits: PendingLimits, ledger: &mut Ledger) {
        while self.items() > limits.items || self.bytes > limits.bytes {
            let order = [ReportKind::Stats, ReportKind::Server];
            if !order.into_iter().any(|kind| self.lose(kind, LossReason::Overflow, ledger)) {
                return;
            }
        }
    }

    fn lose(&mut self, kind: ReportKind, reason: LossReason, ledger: &mut Ledger) -> bool {
        let taken = self.take(kind).is_some();
        if taken {
            ledger.lose(kind, reason);
        }
        taken
    }
}
