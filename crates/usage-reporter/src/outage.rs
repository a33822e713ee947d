//! When to raise a voice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use usage_proto::Error;

use crate::events::{Event, EventQueue};
use crate::report::ReportKind;

/// Whether reports get through, in as few words as possible.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outage {
    /// When the last one was announced.
    announced: Option<Instant>,
    /// It is announced and not over.
    open: bool,
    /// Attempts that failed since everything got through.
    failures: u64,
    server: Failing,
    stats: Failing,
    usage: Failing,
}

/// How reports of one kind fail.
#[derive(Debug, Clone, Copy, Default)]
struct Failing {
    /// The first failed attempt since one of them got through.
    since: Option<Instant>,
    /// An announcement has told of it: it is news again only after one got through.
    told: bool,
}

impl Outage {
    /// Tells whether no report of the kind has got through for a whole period.
    pub(crate) fn attempt_failed(
        &mut self,
        now: Instant,
        report: ReportKind,
        period: Duration,
    ) -> bool {
        self.failures = self.failures.saturating_add(1);
        let since = *self.of(report).since.get_or_insert(now);
        now.duration_since(since) >= period
    }

    /// A report that was tried is given up. A single failure that a retry mends is not worth a line.
    ///
    /// An API that takes one report and refuses the next would begin and end an outage with each
    /// pair of them: there is at most one announcement in a period.
    pub(crate) fn given_up(
        &mut self,
        now: Instant,
        report: ReportKind,
        period: Duration,
        error: &Arc<Error>,
        events: &mut EventQueue,
    ) {
        let recently = self.announced.is_some_and(|then| now.duration_since(then) < period);
        if !self.open {
            if recently || self.of(report).told {
                return;
            }
            self.announced = Some(now);
            self.open = true;
            events.push(Event::OutageBegan { error: Arc::clone(error) });
        }
        self.of(report).told = true;
    }

    /// An outage is over once usage gets through, or all that failed. An API that takes statistics
    /// and refuses usage has not recovered with the next statistics.
    pub(crate) fn delivered(&mut self, now: Instant, report: ReportKind, events: &mut EventQueue) {
        *self.of(report) = Failing::default();
        let fails = [self.server, self.stats, self.usage].iter().any(|kind| kind.since.is_some());
        if fails && report != ReportKind::Usage {
            return;
        }
        if let (true, Some(began)) = (self.open, self.announced) {
            let lasted = now.duration_since(began);
            events.push(Event::OutageEnded { lasted, failures: self.failures });
        }
        self.open = false;
        self.failures = 0;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    fn of(&mut self, report: ReportKind) -> &mut Failing {
        match report {
            ReportKind::Server => &mut self.server,
            ReportKind::Stats => &mut self.stats,
            ReportKind::Usage => &mut self.usage,
        }
    }
}
