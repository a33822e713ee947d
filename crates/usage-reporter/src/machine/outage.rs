//! When to raise a voice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use usage_proto::Error;

use super::event_queue::EventQueue;
use crate::event::Event;
use crate::report_kind::ReportKind;

/// Whether reports get through, in as few words as possible.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outage {
    /// When the last one was announced.
    announced: Option<Instant>,
    /// It is announced and not over.
    open: bool,
    /// The box keeps an idle reporter small: all is well for most of its life.
    failing: Option<Box<Failing>>,
}

/// What does not get through.
#[derive(Debug, Clone, Default)]
struct Failing {
    /// How many attempts failed since usage, or all there is, got through.
    attempts: u64,
    server: Kind,
    stats: Kind,
    usage: Kind,
}

/// How reports of one kind fail.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
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
        let failing = self.failing.get_or_insert_default();
        failing.attempts = failing.attempts.saturating_add(1);
        let since = *failing.of(report).since.get_or_insert(now);
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
        let kind = self.failing.get_or_insert_default().of(report);
        let recently = self.announced.is_some_and(|then| now.duration_since(then) < period);
        if !self.open {
            if recently || kind.told {
                return;
            }
            self.announced = Some(now);
            self.open = true;
            events.push(Event::OutageBegan { error: Arc::clone(error) });
        }
        kind.told = true;
    }

    /// An outage is over once usage gets through, or all that failed. An API that takes statistics
    /// and refuses usage has not recovered with the next statistics.
    pub(crate) fn delivered(&mut self, now: Instant, report: ReportKind, events: &mut EventQueue) {
        let Some(failing) = &mut self.failing else { return };
        *failing.of(report) = Kind::default();
        let all_is_well = failing.is_nothing();
        if report != ReportKind::Usage && !all_is_well {
            return;
        }
        let failures = std::mem::take(&mut failing.attempts);
        if let (true, Some(began)) = (self.open, self.announced) {
            let lasted = now.duration_since(began);
            events.push(Event::OutageEnded { lasted, failures });
        }
        self.open = false;
        if all_is_well {
            self.failing = None;
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }
}

impl Failing {
    fn of(&mut self, report: ReportKind) -> &mut Kind {
        match report {
            ReportKind::Server => &mut self.server,
            ReportKind::Stats => &mut self.stats,
            ReportKind::Usage => &mut self.usage,
        }
    }

    fn is_nothing(&self) -> bool {
        [self.server, self.stats, self.usage].iter().all(|kind| kind.since.is_none())
    }
}
