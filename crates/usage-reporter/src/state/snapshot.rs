//! A state on its way to the disk.

use std::time::{Duration, SystemTime};

use super::State;
use super::last_sent::LastSent;
use super::stamp::{Stamp, nanos, since_1970};

/// A state that is to be stored, but for the time of day: what is in it is known in time past since
/// the acknowledgement.
///
/// The clock is read when the state is written, and not when the acknowledgement came. A machine
/// that starts without the right time, reports, and then learns it, has the right stamp in the next
/// state that it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the state is lost unless it is stamped and stored"]
pub struct Snapshot {
    state: State,
    /// Since the acknowledgement, where this run has seen it.
    acknowledged: Option<Duration>,
    /// Until the next usage report is due.
    due: Duration,
    /// What was sent since the last time, and how long ago. The box keeps the action small.
    sent: Option<Box<(LastSent, Duration)>>,
}

impl Snapshot {
    pub(crate) fn new(
        state: State,
        acknowledged: Option<Duration>,
        due: Duration,
        sent: Option<Box<(LastSent, Duration)>>,
    ) -> Self {
        Self { state, acknowledged, due, sent }
    }

    /// The last usage report as it left, if one did since the last snapshot: to be kept beside the
    /// state, for whoever wants to read what was sent. Nothing depends on it.
    #[must_use]
    pub fn last_sent(&self, wall_now: SystemTime) -> Option<LastSent> {
        let (sent, ago) = &**self.sent.as_ref()?;
        let mut sent = sent.clone();
        sent.sent_unix_ns = Stamp::clamped(since_1970(wall_now) - nanos(*ago));
        Some(sent)
    }

    /// The state to store, stamped with the wall clock.
    #[must_use]
    pub fn into_state(self, wall_now: SystemTime) -> State {
        let now = since_1970(wall_now);
        State {
            acknowledged: self
                .acknowledged
                .map_or(self.state.acknowledged, |ago| Some(Stamp::clamped(now - nanos(ago)))),
            next_due: Some(Stamp::clamped(now + nanos(self.due))),
            ..self.state
        }
    }
}
