//! How the reporting is going.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Instant;

use usage_proto::Error;

/// How a reporter is doing ([`Reporter::status`](crate::Reporter::status)).
///
/// Every report that was accepted is delivered, lost or pending:
/// `accepted == delivered + lost + pending`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// Whether it runs.
    pub phase: Phase,
    /// When the API last took a report.
    pub last_success: Option<Instant>,
    /// What the last failed attempt ran into, kept until a report gets through.
    pub last_error: Option<Arc<Error>>,
    /// Why there were no numbers when they were asked for last; `None` once there were.
    pub collect_error: Option<Arc<dyn StdError + Send + Sync>>,
    /// Whether an outage was announced and is not over.
    pub in_outage: bool,
    /// When the next usage report is due; `None` if there will be none.
    pub next_due: Option<Instant>,
    /// How many reports were taken.
    pub accepted: u64,
    /// How many of them the API took.
    pub delivered: u64,
    /// How many of them will not be delivered.
    pub lost: u64,
    /// How many of them wait or are being sent.
    pub pending: u64,
    /// How many bytes are waiting to be sent, without the report that is being sent.
    pub pending_bytes: usize,
}

impl Status {
    /// Of what nobody drives here.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn of_nobody() -> Self {
        Self {
            phase: Phase::Stopped,
            last_success: None,
            last_error: None,
            collect_error: None,
            in_outage: false,
            next_due: None,
            accepted: 0,
            delivered: 0,
            lost: 0,
            pending: 0,
            pending_bytes: 0,
        }
    }
}

/// Where a reporter is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It takes reports and sends them.
    Running,
    /// It was closed, takes nothing more, and sends what waits until the deadline.
    Draining {
        /// No attempt starts then or later.
        deadline: Instant,
    },
    /// It does nothing any more.
    Stopped,
}
