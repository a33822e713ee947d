use std::time::{Instant, SystemTime};

use serde::Serialize;
use usage_proto::Chain;
use usage_reporter::{Consent, Phase};

/// How the reporting goes, for a product's own interface: times are those of the wall clock, and it
/// serializes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Whether reporting is on, and which rule decided it, in words.
    pub consent: String,
    /// `off`, `starting`, `running`, `closing`, `stopped` or `failed`.
    pub phase: &'static str,
    /// When the API last took a report.
    #[serde(serialize_with = "rfc_3339", skip_serializing_if = "Option::is_none")]
    pub last_success: Option<SystemTime>,
    /// When the next usage report is due.
    #[serde(serialize_with = "rfc_3339", skip_serializing_if = "Option::is_none")]
    pub next_due: Option<SystemTime>,
    /// Why there were no numbers when they were asked for last; or else what the last failed attempt
    /// ran into, or why the reporting did not start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Whether no report has got through for a while.
    pub in_outage: bool,
    /// How many reports were taken: `delivered`, `lost` and `pending` together.
    pub accepted: u64,
    /// How many of them the API took.
    pub delivered: u64,
    /// How many of them will not be delivered.
    pub lost: u64,
    /// How many of them wait or are being sent.
    pub pending: u64,
}

impl Status {
    /// Of a reporting that does not run.
    pub(crate) fn idle(consent: &Consent, phase: &'static str, error: Option<String>) -> Self {
        Self {
            consent: consent.to_string(),
            phase,
            last_success: None,
            next_due: None,
            last_error: error,
            in_outage: false,
            accepted: 0,
            delivered: 0,
            lost: 0,
            pending: 0,
        }
    }

    pub(super) fn of(consent: &Consent, status: &usage_reporter::Status) -> Self {
        Self::at(consent, status, Instant::now(), SystemTime::now())
    }

    pub(crate) fn at(
        consent: &Consent,
        status: &usage_reporter::Status,
        now: Instant,
        wall_now: SystemTime,
    ) -> Self {
        let wall = |time: Instant| match time.checked_duration_since(now) {
            Some(ahead) => wall_now.checked_add(ahead),
            None => wall_now.checked_sub(now - time),
        };
        Self {
            phase: match status.phase {
                Phase::Running => "running",
                Phase::Draining { .. } => "closing",
                _ => "stopped",
            },
            last_success: status.last_success.and_then(wall),
            // What is overdue is due now.
            next_due: status.next_due.and_then(|due| wall(due.max(now))),
            last_error: last_error(status),
            in_outage: status.in_outage,
            accepted: status.accepted,
            delivered: status.delivered,
            lost: status.lost,
            pending: status.pending,
            ..Self::idle(consent, "running", None)
        }
    }
}

/// Without numbers nothing is sent, whatever became of what was sent before.
fn last_error(status: &usage_reporter::Status) -> Option<String> {
    match (&status.collect_error, &status.last_error) {
        (Some(error), _) => Some(format!("usage could not be collected: {}", Chain(&**error))),
        (None, error) => error.as_ref().map(|error| format!("{error:#}")),
    }
}

#[expect(clippy::ref_option, reason = "as the derive passes it")]
fn rfc_3339<S: serde::Serializer>(
    time: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&humantime::format_rfc3339_seconds(*time)),
        None => serializer.serialize_none(),
    }
}
