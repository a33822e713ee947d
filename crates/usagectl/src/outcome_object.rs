//! How a command ended, as a JSON object for scripts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use usage_proto::{Chain, ResponseError, ResponseErrorKind, Saved, Token};
use usage_reporter::{ForgetOutcome, Identity};

use crate::failure::{Failure, Totals};
use crate::forget_words::forget_words;
use crate::terminal_text;

/// How a report ended. Scripts depend on the names and on the fields.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Outcome {
    Saved {
        status: u16,
        body: String,
        /// Whether `body` is all of it.
        complete: bool,
    },
    /// The API gave one message.
    Simple {
        status: u16,
        message: String,
        #[serde(flatten)]
        retry: Retry,
    },
    /// The API named fields.
    Validation {
        status: u16,
        errors: BTreeMap<String, Vec<String>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        #[serde(flatten)]
        retry: Retry,
    },
    Redirect {
        status: u16,
        location: Option<String>,
        #[serde(flatten)]
        retry: Retry,
    },
    /// The answer was larger than it may be.
    TooLarge {
        status: u16,
        limit: usize,
        #[serde(flatten)]
        retry: Retry,
    },
    /// A web page answered in the API's place, with a status that says success.
    Page {
        status: u16,
        #[serde(flatten)]
        retry: Retry,
    },
    /// The answer was no error of the API's.
    Unexpected {
        status: u16,
        excerpt: String,
        #[serde(flatten)]
        retry: Retry,
    },
    /// There was no answer.
    Transport {
        kind: &'static str,
        may_have_been_sent: bool,
        message: String,
    },
    /// The request could not be built.
    Build {
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<String>,
    },
    /// Reporting is switched off, and nothing was done.
    Off {
        message: String,
    },
    /// A schedule has ended.
    Stopped {
        /// `signal`, or `api` if it wants no more reports.
        by: &'static str,
        #[serde(flatten)]
        totals: Totals,
    },
    Forgotten {
        /// `null` if the API did not say.
        reports: Option<u64>,
    },
    NothingToForget,
    /// The API has no report under these ids.
    NothingFound {
        message: String,
    },
    NotForgotten {
        /// `pending`, `unsupported` or `given_up`.
        reason: &'static str,
        message: String,
        /// What is left to ask the maker with; empty while it is pending.
        servers: Vec<ServerIds>,
    },
    /// No token came.
    NotRegistered {
        message: String,
    },
    /// The arguments make no sense.
    Usage {
        message: String,
    },
    /// The server or standard output failed.
    Failed {
        message: String,
    },
}

/// Who is not forgotten.
#[derive(Debug, Serialize)]
pub(crate) struct ServerIds {
    cluster_id: String,
    server_id: String,
}

/// What a script needs to know before it tries again.
#[derive(Debug, Serialize)]
pub(crate) struct Retry {
    retryable: bool,
    /// Seconds; `null` if the API did not say.
    retry_after_s: Option<u64>,
}

impl Outcome {
    /// `token` is kept out of the answer, should the server have repeated it.
    pub(crate) fn saved(saved: &Saved, token: Option<&Token>) -> Self {
        Self::Saved {
            status: saved.status().as_u16(),
            body: terminal_text::redact(&String::from_utf8_lossy(saved.body()), token),
            complete: saved.is_complete(),
        }
    }

    pub(crate) fn forgotten(outcome: &ForgetOutcome) -> Self {
        let not = |reason, servers: &[Identity]| Self::NotForgotten {
            reason,
            message: forget_words(outcome),
            servers: servers.iter().map(ServerIds::from).collect(),
        };
        match outcome {
            ForgetOutcome::Forgotten { reports: Some(0), .. } => {
                Self::NothingFound { message: forget_words(outcome) }
            }
            ForgetOutcome::Forgotten { reports, .. } => Self::Forgotten { reports: *reports },
            ForgetOutcome::NothingToForget => Self::NothingToForget,
            ForgetOutcome::Unsupported { identities, .. } => not("unsupported", identities),
            ForgetOutcome::GivenUp { identities, .. } => not("given_up", identities),
            // What this command does not know is not done yet.
            _ => not("pending", &[]),
        }
    }

    pub(crate) fn stopped(by: &'static str, totals: Totals) -> Self {
        Self::Stopped { by, totals }
    }

    pub(crate) fn refused(error: &ResponseError) -> Self {
        let status = error.status.as_u16();
        let retry = Retry {
            retryable: error.is_retryable(),
            retry_after_s: error.retry_after.as_ref().map(Duration::as_secs),
        };
        match &error.kind {
            ResponseErrorKind::Simple(error) => {
                Self::Simple { status, message: error.message.clone(), retry }
            }
            ResponseErrorKind::Validation(errors) => Self::Validation {
                status,
                errors: errors.errors.clone(),
                message: errors.message.clone(),
                retry,
            },
            ResponseErrorKind::Redirect { location, .. } => {
                Self::Redirect { status, location: location.clone(), retry }
            }
            ResponseErrorKind::TooLarge { limit, .. } => {
                Self::TooLarge { status, limit: *limit, retry }
            }
            ResponseErrorKind::Page => Self::Page { status, retry },
            ResponseErrorKind::Unexpected { excerpt, .. } => {
                Self::Unexpected { status, excerpt: excerpt.clone(), retry }
            }
            // The library may learn to tell more answers apart than this command knows.
            _ => Self::Unexpected { status, excerpt: error.to_string(), retry },
        }
    }
}

impl From<&Identity> for ServerIds {
    fn from(identity: &Identity) -> Self {
        let Identity { cluster_id, server_id, .. } = identity.clone();
        Self { cluster_id, server_id }
    }
}

impl From<&Failure> for Outcome {
    fn from(failure: &Failure) -> Self {
        let message = Chain(failure).to_string();
        match failure {
            Failure::Build { field, .. } => Self::Build { message, field: field.clone() },
            Failure::Client(_) | Failure::State(_) => Self::Build { message, field: None },
            Failure::Response(error) => Self::refused(error),
            Failure::Transport(error) | Failure::ThroughProxy(error) => Self::Transport {
                kind: error.kind().as_str(),
                may_have_been_sent: error.may_have_been_sent(),
                message,
            },
            Failure::NotForgotten(outcome) => Self::forgotten(outcome),
            Failure::NotRegistered(_) => Self::NotRegistered { message },
            Failure::Gone(totals) => Self::stopped("api", *totals),
            Failure::Server(_) | Failure::Output(_) => Self::Failed { message },
        }
    }
}
