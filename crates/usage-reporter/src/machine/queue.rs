//! What waits to be sent.

use std::collections::VecDeque;
use std::time::Instant;

use usage_proto::Api;

use super::report::Report;
use super::totals::Totals;
use crate::config::PendingLimits;
use crate::event::LossReason;
use crate::report_kind::ReportKind;

/// At most one registration, at most one usage report, and statistics in the order they came.
///
/// The boxes keep an idle reporter small.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    server: Option<Box<Report>>,
    usage: Option<Box<Report>>,
    stats: VecDeque<Report>,
    bytes: usize,
}

impl Queue {
    /// Takes a new report, which is the newest of its kind. Returns the one whose place it takes.
    #[must_use]
    pub(crate) fn push(
        &mut self,
        report: Report,
        limits: PendingLimits,
        totals: &mut Totals,
    ) -> Option<Box<Report>> {
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
        if let Some(older) = &older {
            self.bytes -= older.size();
            totals.lose(kind, LossReason::Superseded);
        }
        self.make_room(limits, totals);
        older
    }

    /// Whether a report has come meanwhile that says the same with newer numbers.
    pub(crate) fn has_newer_than(&self, report: &Report) -> bool {
        match report.kind() {
            ReportKind::Server => self.server.is_some(),
            ReportKind::Usage => self.usage.is_some(),
            ReportKind::Stats => false,
        }
    }

    /// Takes back a report that was taken out and is to go out again. There is none that is newer.
    pub(crate) fn put_back(&mut self, report: Report, limits: PendingLimits, totals: &mut Totals) {
        self.bytes += report.size();
        match report.kind() {
            ReportKind::Server => self.server = Some(Box::new(report)),
            ReportKind::Usage => self.usage = Some(Box::new(report)),
            ReportKind::Stats => self.stats.push_front(report),
        }
        self.make_room(limits, totals);
    }

    /// Takes out the report that goes next at `now`: first what tells who the server is, then
    /// usage, then the oldest statistics. A registration that has had a slot comes after usage: an
    /// API that takes the one and not the other would never be told usage.
    pub(crate) fn take_next(&mut self, now: Instant, with_usage: bool) -> Option<Report> {
        let is_ready = |report: &Report| report.ready_at().is_some_and(|at| at <= now);
        let server = self.server.as_deref().filter(|server| is_ready(server));
        let has_usage = with_usage && self.usage.as_deref().is_some_and(is_ready);
        if server.is_some_and(|server| !(server.is_late && has_usage)) {
            self.take(ReportKind::Server)
        } else if has_usage {
            self.take(ReportKind::Usage)
        } else {
            // One that has to wait for an address of the past holds up none behind it.
            self.take_stats(self.stats.iter().position(is_ready)?)
        }
    }

    /// When the first of these reports may go out, as far as it goes by them.
    pub(crate) fn ready_at(&self, now: Instant, with_usage: bool) -> Option<Instant> {
        let usage = self.usage.as_deref().filter(|_| with_usage);
        let single = self.server.as_deref().into_iter().chain(usage);
        let mut earliest: Option<Instant> = None;
        for at in single.chain(&self.stats).filter_map(Report::ready_at) {
            if at <= now {
                return Some(now);
            }
            earliest = Some(earliest.map_or(at, |other| other.min(at)));
        }
        earliest
    }

    /// A slot begins: what waits for it may go out.
    pub(crate) fn begin_slot(&mut self) {
        self.reports().for_each(|report| report.in_next_slot = false);
    }

    /// The end is near: what was never tried waits for its time no longer.
    pub(crate) fn hurry(&mut self, now: Instant) {
        for report in self.reports().filter(|report| report.error.is_none()) {
            report.not_before = report.not_before.min(now);
        }
    }

    /// The host reports to `new` from now on, where it reported to `old` and `old_gate` is the end
    /// of the pause there.
    pub(crate) fn change_api(&mut self, old: &Api, new: &Api, old_gate: Instant) {
        let moved = old.base_url() != new.base_url();
        if let Some(server) = self.server.as_deref_mut().filter(|server| server.in_next_slot) {
            // It was given up at the old address. One that the new API can see for the first time,
            // or under the first token that counts, need not wait for the slot.
            if moved {
                server.bound_to = None;
            }
            server.in_next_slot = server.bound_to.is_some();
        }
        if moved {
            for report in self.reports() {
                // What somebody else answered at the old address may be answered at the new one.
                report.in_next_slot = false;
                // The pause of the old address goes on for what has to go there again.
                let there = report.bound_to.as_ref();
                if there.is_some_and(|api| api.base_url() == old.base_url()) {
                    report.not_before = report.not_before.max(old_gate);
                }
            }
        }
    }

    /// Loses what is not due before `deadline`.
    pub(crate) fn lose_what_is_late(&mut self, deadline: Instant, totals: &mut Totals) {
        let is_late = |report: &Report| report.ready_at().is_none_or(|at| at >= deadline);
        if self.server.as_deref().is_some_and(is_late) {
            self.lose(ReportKind::Server, LossReason::Closed, totals);
        }
        if self.usage.as_deref().is_some_and(is_late) {
            self.lose(ReportKind::Usage, LossReason::Closed, totals);
        }
        while let Some(late) = self.stats.iter().position(is_late) {
            if self.take_stats(late).is_some() {
                totals.lose(ReportKind::Stats, LossReason::Closed);
            }
        }
    }

    pub(crate) fn lose_all(&mut self, reason: LossReason, totals: &mut Totals) {
        for kind in [ReportKind::Server, ReportKind::Usage, ReportKind::Stats] {
            while self.lose(kind, reason, totals) {}
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
    fn make_room(&mut self, limits: PendingLimits, totals: &mut Totals) {
        while self.items() > limits.items || self.bytes > limits.bytes {
            let order = [ReportKind::Stats, ReportKind::Server];
            if !order.into_iter().any(|kind| self.lose(kind, LossReason::Overflow, totals)) {
                return;
            }
        }
    }

    fn reports(&mut self) -> impl Iterator<Item = &mut Report> {
        let singles = self.server.as_deref_mut().into_iter().chain(self.usage.as_deref_mut());
        singles.chain(&mut self.stats)
    }

    /// Takes out the only one of its kind, or the oldest statistics.
    fn take(&mut self, kind: ReportKind) -> Option<Report> {
        let report = match kind {
            ReportKind::Server => *self.server.take()?,
            ReportKind::Usage => *self.usage.take()?,
            ReportKind::Stats => return self.take_stats(0),
        };
        self.bytes -= report.size();
        Some(report)
    }

    fn take_stats(&mut self, index: usize) -> Option<Report> {
        let report = self.stats.remove(index)?;
        self.bytes -= report.size();
        if self.stats.is_empty() {
            // An idle reporter holds no buffers.
            self.stats = VecDeque::new();
        }
        Some(report)
    }

    fn lose(&mut self, kind: ReportKind, reason: LossReason, totals: &mut Totals) -> bool {
        let taken = self.take(kind).is_some();
        if taken {
            totals.lose(kind, reason);
        }
        taken
    }
}
