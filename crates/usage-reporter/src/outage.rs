//! When to raise a voice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use usage_proto::Error;

use crate::events::{Event, EventQueue};

/// Whether reports get through, in as few words as possible.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outage {
    /// When the last one was announced.
    announced: Option<Instant>,
    /// It is announced and not over.
    open: bool,
    /// Attempts that failed since a report got through.
    failures: u64,
}

impl Outage {
    pub(crate) fn attempt_failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// A report was given up. A single failure that a retry mends is not worth a line.
    ///
    /// An API that takes one report and refuses the next would begin and end an outage with each
    /// pair of them: there is at most one announcement in a period.
    pub(crate) fn given_up(
        &mut self,
        now: Instant,
        period: Duration,
        error: &Arc<Error>,
        events: &mut EventQueue,
    ) {
        let recently = self.announced.is_some_and(|then| now.duration_since(then) < period);
        if !self.open && !recently {
            self.announce(now, error, events);
        }
    }

    /// Nothing will be sent any more; whoever reads the log must be able to find out.
    pub(crate) fn for_good(&mut self, now: Instant, error: &Arc<Error>, events: &mut EventQueue) {
        if !self.open {
            self.announce(now, error, events);
        }
    }

    pub(crate) fn delivered(&mut self, now: Instant, events: &mut EventQueue) {
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

    fn announce(&mut self, now: Instant, error: &Arc<Error>, events: &mut EventQueue) {
        self.announced = Some(now);
        self.open = true;
        events.push(Event::OutageBegan { error: Arc::clone(error) });
    }
}
