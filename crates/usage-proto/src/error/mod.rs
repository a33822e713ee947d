//! What can go wrong, each said once and with a type of its own.

mod build;
mod response;
mod transport;

use std::time::Duration;

pub use build::BuildError;
pub use response::{ResponseError, ResponseErrorKind, SimpleError, ValidationErrors};
pub use transport::{TransportError, TransportErrorKind};

use crate::base_url::InvalidBaseUrl;
use crate::token::InvalidToken;

/// Anything that can go wrong between a payload and its acknowledgement.
///
/// Each variant shows itself as the error inside does; nothing is said twice.
///
/// ```
/// use usage_proto::Error;
///
/// fn tell(error: &Error) -> String {
///     match error {
///         Error::Response(answer) => match answer.as_validation() {
///             Some(fields) => format!("mend {:?}", fields.errors.keys()),
///             None => format!("the API said {}", answer.status),
///         },
///         Error::Transport(lost) if lost.may_have_been_sent() => "it may have arrived".into(),
///         other if other.is_retryable() => "try again later".into(),
///         // What happened, and why: the whole chain of causes.
///         other => format!("{other:#}"),
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be built; nothing was sent.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The API answered, and not with success.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// There was no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl Error {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Build(_) => false,
            Self::Response(error) => error.is_retryable(),
            Self::Transport(error) => error.is_retryable(),
        }
    }

    /// How long the API asked to wait, at most 24 hours.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Response(error) => error.retry_after,
            Self::Build(_) | Self::Transport(_) => None,
        }
    }
}

impl From<InvalidBaseUrl> for Error {
    fn from(error: InvalidBaseUrl) -> Self {
        Self::Build(error.into())
    }
}

impl From<InvalidToken> for Error {
    fn from(error: InvalidToken) -> Self {
        Self::Build(error.into())
    }
}
