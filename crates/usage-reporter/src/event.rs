//! What is worth a line in a log.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use usage_proto::{Chain, Error};

use crate::report_kind::ReportKind;

/// Something that happened. No token and no payload is in it.
///
/// `Display` is one line for a log, with the reasons of an error behind it; [`level`](Self::level) and [`name`](Self::name) say how to
/// write it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A report has been given up for now after a failed attempt, or none has got through for a period: the
    /// API cannot be reached, or takes nothing. There is one of these until the outage is over,
    /// however long that takes, and at most one in a period. What fails on after the end, such as
    /// statistics that are refused while usage is taken, is no news before it got through.
    #[non_exhaustive]
    OutageBegan {
        /// What the last attempt ran into.
        error: Arc<Error>,
    },
    /// After [`OutageBegan`](Self::OutageBegan) usage got through, or one report of each kind that
    /// failed.
    #[non_exhaustive]
    OutageEnded {
        /// From the event at the beginning to now.
        lasted: Duration,
        /// How many attempts failed, from the first that led to it.
        failures: u64,
    },
    /// The API has taken a report.
    #[non_exhaustive]
    Delivered {
        /// What it said.
        report: ReportKind,
        /// How many attempts it took.
        attempts: u32,
        /// The status of the answer, of the class 2xx.
        status: StatusCode,
    },
    /// An attempt failed.
    #[non_exhaustive]
    AttemptFailed {
        /// What the report said.
        report: ReportKind,
        /// Which attempt of this report it was, counted from 1.
        attempt: u32,
        /// What it ran into.
        error: Arc<Error>,
        /// How long until the next attempt, if there is to be one. Newer numbers, a lack of room or
        /// a close may still come before it.
        retry_in: Option<Duration>,
    },
    /// Reports that were taken will not be delivered.
    #[non_exhaustive]
    Lost {
        /// What they said.
        report: ReportKind,
        /// Why.
        reason: LossReason,
        /// How many, since the last such event of this kind and reason.
        count: u64,
    },
    /// Nobody answered [`Action::Collect`](crate::Action::Collect) in time. The schedule goes on.
    CollectUnanswered,
    /// The host could not collect its numbers. The schedule goes on.
    #[non_exhaustive]
    CollectFailed {
        /// What the host said.
        error: Arc<dyn StdError + Send + Sync>,
    },
    /// The host could not store the state ([`Action::Persist`](crate::Action::Persist)). Reporting
    /// goes on; a restart would know what was stored last, and may report once more than it should.
    #[non_exhaustive]
    StateNotStored {
        /// What the host said.
        error: Arc<dyn StdError + Send + Sync>,
        /// Whether the one before was not stored either: it has been told.
        again: bool,
    },
    /// The API answered 410 Gone: it wants no more reports from this program, and gets none until
    /// the next start. Reports that were taken are lost.
    Gone,
}

/// How loud an [`Event`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// For who looks into the reporting itself.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth mending.
    Warn,
}

impl Event {
    /// How loud to write it: a warning when an outage begins, when the state cannot be stored any
    /// more and when the API wants no more reports, a notice when an outage ends, and nothing else.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::OutageBegan { .. } | Self::StateNotStored { again: false, .. } | Self::Gone => {
                Level::Warn
            }
            Self::OutageEnded { .. } => Level::Info,
            _ => Level::Debug,
        }
    }

    /// The name of the event, which stays the same from release to release.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OutageBegan { .. } => "outage_began",
            Self::OutageEnded { .. } => "outage_ended",
            Self::Delivered { .. } => "delivered",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::Lost { .. } => "lost",
            Self::CollectUnanswered => "collect_unanswered",
            Self::CollectFailed { .. } => "collect_failed",
            Self::StateNotStored { .. } => "state_not_stored",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutageBegan { error } => {
                write!(f, "usage reports are not getting through: {}", Chain(&**error))
            }
            Self::OutageEnded { lasted, failures } => write!(
                f,
                "usage reports are getting through again after {} s and {failures} failed attempts",
                lasted.as_secs()
            ),
            Self::Delivered { report, attempts, status } => {
                write!(f, "{report} delivered at attempt {attempts}: {status}")
            }
            Self::AttemptFailed { report, attempt, error, retry_in } => {
                write!(f, "attempt {attempt} to deliver {report} failed: {}", Chain(&**error))?;
                match retry_in {
                    Some(wait) => write!(f, "; next attempt in {} s", wait.as_secs()),
                    None => Ok(()),
                }
            }
            Self::Lost { report, reason, count } => write!(f, "{count} × {report} lost: {reason}"),
            Self::CollectUnanswered => f.write_str("no usage was collected in time"),
            Self::CollectFailed { error } => {
                write!(f, "usage could not be collected: {}", Chain(&**error))
            }
            Self::StateNotStored { error, .. } => {
                write!(f, "the state of usage reporting could not be stored: {}", Chain(&**error))
            }
            Self::Gone => f.write_str(
                "usage reporting has stopped until the next start: the API answered 410 Gone and \
                 wants no more reports",
            ),
        }
    }
}

/// Why a report is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// All its attempts failed.
    Exhausted,
    /// The API refused it, or its certificate is not accepted: the same would happen again.
    Refused,
    /// A newer report took its place.
    Superseded,
    /// There was no room ([`PendingLimits`](crate::PendingLimits)).
    Overflow,
    /// It does not fit the API that was set since
    /// ([`Reporter::set_api`](crate::Reporter::set_api)).
    Unbuildable,
    /// The API wants no more reports.
    Gone,
    /// The reporter was closed before it was delivered.
    Closed,
}

impl LossReason {
    /// The reason in one lower-case word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Refused => "refused",
            Self::Superseded => "superseded",
            Self::Overflow => "overflow",
            Self::Unbuildable => "unbuildable",
            Self::Gone => "gone",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
