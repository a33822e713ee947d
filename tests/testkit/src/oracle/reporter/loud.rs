//! What must be said aloud, and what must not.

use std::time::{Duration, Instant};

use usage_reporter::{Event, ReportKind};

#[derive(Debug)]
pub(super) struct Loud {
    period: Duration,
    kinds: [Kind; 3],
    /// An outage was announced and not ended.
    pub(super) open: bool,
    /// When the last announcement was seen, and since when it may have been there to be seen.
    began: Option<(Instant, Instant)>,
    /// The first input since everything was seen.
    unseen_since: Option<Instant>,
    /// Usage got through since the last announcement.
    usage_got_through: bool,
    gone: bool,
}

/// Reports of one kind, since one of them got through.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    failing_since: Option<Instant>,
    /// When the last report that was tried was given up.
    given_up: Option<Instant>,
    /// One was given up in an outage that was announced.
    told: bool,
}

impl Kind {
    fn is_news(&self, since: Option<Instant>) -> bool {
        !self.told && since.is_some_and(|since| self.given_up.is_some_and(|at| at >= since))
    }
}

impl Loud {
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            kinds: [Kind::default(); 3],
            open: false,
            began: None,
            unseen_since: None,
            usage_got_through: false,
            gone: false,
        }
    }

    pub(super) fn delivered(&mut self, kind: ReportKind) {
        *self.of(kind) = Kind::default();
        self.usage_got_through |= kind == ReportKind::Usage;
    }

    /// An attempt failed; `is_given_up` if its report goes out no more, or not before the next slot.
    pub(super) fn failed(&mut self, now: Instant, kind: ReportKind, is_given_up: bool) {
        let since = *self.of(kind).failing_since.get_or_insert(now);
        if is_given_up || now.duration_since(since) >= self.period {
            self.given_up(now, kind);
        }
    }

    pub(super) fn given_up(&mut self, now: Instant, kind: ReportKind) {
        self.unseen_since.get_or_insert(now);
        let open = self.open;
        let kind = self.of(kind);
        kind.given_up = Some(now);
        kind.told |= open;
    }

    pub(super) fn saw(&mut self, now: Instant, event: &Event) {
        match event {
            Event::OutageBegan { .. } => {
                assert!(!self.open, "law 11: an outage begins twice");
                if let Some((since, _)) = self.began {
                    assert!(now.duration_since(since) >= self.period, "law 11: twice in a period");
                }
                let since = self.unseen_since;
                let news = self.kinds.iter_mut().filter(|kind| kind.is_news(since));
                let told = news.map(|kind| kind.told = true).count();
                assert!(told > 0, "law 11: an alarm for nothing");
                self.open = true;
                self.usage_got_through = false;
                self.began = Some((since.unwrap_or(now), now));
            }
            Event::OutageEnded { .. } => {
                assert!(self.open, "law 11: an end without a beginning");
                let usage = self.of(ReportKind::Usage).failing_since;
                assert!(usage.is_none(), "law 11: the end, and usage does not get through");
                self.open = false;
            }
            Event::Gone => self.gone = true,
            _ => {}
        }
    }

    /// Everything that was there to be seen has been seen.
    pub(super) fn check(&mut self) {
        self.unseen_since = None;
        assert!(!self.open || !self.usage_got_through, "law 11: usage gets through, and no end");
        for kind in &self.kinds {
            if let Some(at) = kind.given_up {
                let recently = self
                    .began
                    .is_some_and(|(_, began)| at.saturating_duration_since(began) < self.period);
                assert!(recently || kind.told, "law 11: nobody is told: {kind:?}");
            }
        }
    }

    pub(super) fn check_gone(&self) {
        assert!(self.gone, "law 11: nobody is told of the end");
    }

    fn of(&mut self, kind: ReportKind) -> &mut Kind {
        let [server, stats, usage] = &mut self.kinds;
        match kind {
            ReportKind::Server => server,
            ReportKind::Stats => stats,
            _ => usage,
        }
    }
}
