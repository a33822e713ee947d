//! What comes of a save, as a value that can be compared.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use usage_proto::{
    Error, ResponseError, ResponseErrorKind, Saved, TransportError, TransportErrorKind,
};

/// All that a caller can tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A success.
    Saved {
        /// Its status.
        status: u16,
        /// Whether all of the body came.
        complete: bool,
        /// What came of the body.
        body: Text,
    },
    /// An answer that is no success.
    Refused {
        /// Its status.
        status: u16,
        /// Whether to try again.
        retryable: bool,
        /// When to try again.
        retry_after: Option<Duration>,
        /// What it says.
        kind: Refusal,
    },
    /// No answer.
    Unanswered {
        /// Why there is none.
        kind: TransportErrorKind,
        /// Whether the request may have arrived.
        may_have_been_sent: bool,
        /// Whether to try again.
        retryable: bool,
    },
    /// No request, for a reason in words.
    NotBuilt(String),
    /// No client, for a reason in words.
    NoClient(String),
}

/// What an answer that is no success says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A message.
    Simple(String),
    /// Fields.
    Validation {
        /// A message beside them.
        message: Option<String>,
        /// The messages of each field.
        errors: BTreeMap<String, Vec<String>>,
    },
    /// A redirect.
    Redirect {
        /// Where it leads.
        location: Option<String>,
    },
    /// More than is read.
    TooLarge {
        /// What is read.
        limit: usize,
    },
    /// Neither shape.
    Unexpected {
        /// How it begins.
        excerpt: String,
    },
    /// A kind that is not known here.
    Unknown(String),
}

/// A body. It is shown by its length and its start.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Vec<u8>);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = &self.0[..self.0.len().min(60)];
        write!(f, "{} bytes {:?}", self.0.len(), String::from_utf8_lossy(start))
    }
}

impl Outcome {
    /// The outcome of a save.
    #[must_use]
    pub fn of(result: &Result<Saved, Error>) -> Self {
        match result {
            Ok(saved) => Self::Saved {
                status: saved.status().as_u16(),
                complete: saved.is_complete(),
                body: Text(saved.body().to_vec()),
            },
            Err(Error::Response(error)) => Self::refused(error),
            Err(Error::Transport(error)) => Self::unanswered(error),
            Err(error) => Self::NotBuilt(error.to_string()),
        }
    }

    fn refused(error: &ResponseError) -> Self {
        let kind = match &error.kind {
            ResponseErrorKind::Simple(simple) => Refusal::Simple(simple.message.clone()),
            ResponseErrorKind::Validation(fields) => Refusal::Validation {
                message: fields.message.clone(),
                errors: fields.errors.clone(),
            },
            ResponseErrorKind::Redirect { location, .. } => {
                Refusal::Redirect { location: location.clone() }
            }
            ResponseErrorKind::TooLarge { limit, .. } => Refusal::TooLarge { limit: *limit },
            ResponseErrorKind::Unexpected { excerpt, .. } => {
                Refusal::Unexpected { excerpt: excerpt.clone() }
            }
            other => Refusal::Unknown(format!("{other:?}")),
        };
        Self::Refused {
            status: error.status.as_u16(),
            retryable: error.is_retryable(),
            retry_after: error.retry_after,
            kind,
        }
    }

    /// The outcome in a few words, for a table.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Saved { status, complete: false, body } => {
                format!("{status}, incomplete, {} bytes", body.0.len())
            }
            Self::Refused { status, kind: Refusal::TooLarge { .. }, .. } => {
                format!("{status}, too large")
            }
            Self::Saved { status, .. } | Self::Refused { status, .. } => format!("{status}"),
            Self::Unanswered { kind, may_have_been_sent: true, .. } => format!("{kind}"),
            Self::Unanswered { kind, may_have_been_sent: false, .. } => format!("{kind}, not sent"),
            Self::NotBuilt(words) | Self::NoClient(words) => words.clone(),
        }
    }

    /// The same, told as if the request may have arrived.
    #[must_use]
    pub fn as_sent(self) -> Self {
        match self {
            Self::Unanswered { kind, retryable, .. } => {
                Self::Unanswered { kind, may_have_been_sent: true, retryable }
            }
            other => other,
        }
    }

    /// The outcome of a request without an answer.
    #[must_use]
    pub fn unanswered(error: &TransportError) -> Self {
        Self::Unanswered {
            kind: error.kind(),
            may_have_been_sent: error.may_have_been_sent(),
            retryable: error.is_retryable(),
        }
    }
}

/// A success with all of its body.
#[must_use]
pub fn saved(status: u16, body: impl AsRef<[u8]>) -> Outcome {
    Outcome::Saved { status, complete: true, body: Text(body.as_ref().to_vec()) }
}

/// A success with a part of its body (W38, W46).
#[must_use]
pub fn incomplete(status: u16, body: impl AsRef<[u8]>) -> Outcome {
    Outcome::Saved { status, complete: false, body: Text(body.as_ref().to_vec()) }
}

/// An answer that is no success; whether to try again is what W44 says of its status.
#[must_use]
pub fn refused(status: u16, kind: Refusal) -> Outcome {
    let is_final = matches!(status, 501 | 505 | 506 | 510 | 511);
    let retryable = matches!(status, 408 | 425 | 429) || status / 100 == 5 && !is_final;
    Outcome::Refused { status, retryable, retry_after: None, kind }
}

/// A refusal with a message.
#[must_use]
pub fn simple(message: &str) -> Refusal {
    Refusal::Simple(message.to_owned())
}

/// A redirect to this place.
#[must_use]
pub fn redirect(location: Option<&str>) -> Refusal {
    Refusal::Redirect { location: location.map(str::to_owned) }
}

/// A refusal that begins like this.
#[must_use]
pub fn unexpected(excerpt: &str) -> Refusal {
    Refusal::Unexpected { excerpt: excerpt.to_owned() }
}

/// No answer, nothing sent; to be tried again.
#[must_use]
pub fn unsent(kind: TransportErrorKind) -> Outcome {
    Outcome::Unanswered { kind, may_have_been_sent: false, retryable: true }
}

/// No answer, though the request may have arrived; to be tried again.
#[must_use]
pub fn sent(kind: TransportErrorKind) -> Outcome {
    Outcome::Unanswered { kind, may_have_been_sent: true, retryable: true }
}

/// No answer, and none another time.
#[must_use]
pub fn in_vain(kind: TransportErrorKind) -> Outcome {
    Outcome::Unanswered { kind, may_have_been_sent: false, retryable: false }
}
