//! What the state machine asks for.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;

use crate::event::Event;
use crate::report_kind::ReportKind;
use crate::state::snapshot::Snapshot;

/// What to do next ([`Reporter::poll`](crate::Reporter::poll)).
///
/// It grows only with a major version: a loop has to know every one of them.
#[derive(Debug, Clone)]
#[must_use = "an action that is dropped is not asked for again"]
pub enum Action {
    /// Usage is due: collect fresh numbers and hand them to
    /// [`Reporter::submit`](crate::Reporter::submit), or say why there are none with
    /// [`Reporter::collect_failed`](crate::Reporter::collect_failed). Without either, the schedule
    /// goes on after [`Config::collect_timeout`](crate::Config::collect_timeout).
    Collect,
    /// Send a request, and tell its outcome with
    /// [`Reporter::on_response`](crate::Reporter::on_response) or
    /// [`Reporter::on_failure`](crate::Reporter::on_failure). There is one at a time. Without an
    /// outcome it counts as failed after
    /// [`Config::attempt_timeout`](crate::Config::attempt_timeout).
    Send(Attempt),
    /// Store the state, stamped with the wall clock, before the next call of `poll`. What was sent last
    /// is with it, to be kept for the owner of the machine
    /// ([`Snapshot::last_sent`](crate::Snapshot::last_sent)).
    ///
    /// If the state cannot be stored, say so with
    /// [`Reporter::persist_failed`](crate::Reporter::persist_failed) and go on: reporting does, and
    /// what was not stored is part of the next state.
    Persist(Snapshot),
    /// Write to the log, or ignore it.
    Event(Event),
    /// There is nothing to do before this instant, unless something is handed in first.
    Wait(Instant),
    /// There will never be anything to do again.
    Stopped,
}

/// Names one attempt of one reporter.
///
/// The numbers go on from one that the seed decides: the outcome of an attempt of another reporter,
/// or of the process before, is told to this one in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub(crate) u64);

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A request to send now.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Attempt {
    /// What to name when the outcome is told.
    pub id: AttemptId,
    /// What the report says.
    pub report: ReportKind,
    /// Which attempt of this report it is, counted from 1.
    pub number: u32,
    /// The request, with its `Idempotency-Key`. `Host` and `Content-Length` are the
    /// transport's to add.
    pub request: http::Request<Bytes>,
}
