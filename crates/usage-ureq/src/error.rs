//! From ureq's errors to the kinds that every adapter knows (rule W40).

use std::error::Error as StdError;
use std::io;

use ureq::Error;
use usage_proto::TransportError;

/// A step before the request that failed; travels inside [`Error::Other`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Step {
    #[error("no connection")]
    Connect(#[source] Error),
    #[error("closed at once")]
    Closed(#[source] Error),
    #[error("no TLS session")]
    Tls(#[source] Error),
}

impl Step {
    /// Names the step of an error that has no name yet. A deadline is one in every step.
    pub(crate) fn name(error: Error, step: fn(Error) -> Self) -> Error {
        match error {
            Error::Timeout(_) => error,
            Error::Other(inner) if inner.is::<Self>() => Error::Other(inner),
            error => Error::Other(step(error).into()),
        }
    }
}

/// The error of a call that brought no head. `sent` says whether any of the request may have left.
pub(crate) fn transport_error(error: Error, sent: bool) -> TransportError {
    let error = match error {
        Error::Timeout(_) => TransportError::timeout(error),
        Error::Io(error) => TransportError::interrupted(error),
        Error::Protocol(_) | Error::LargeResponseHeader(..) => TransportError::protocol(error),
        Error::Other(inner) => match inner.downcast::<Step>() {
            Ok(step) => from_step(*step),
            // From our own transport, which hides errors of the connection from ureq's eyes.
            Err(inner) if inner.is::<io::Error>() => TransportError::interrupted(inner),
            Err(inner) => TransportError::other(inner),
        },
        // A request that ureq did not take, such as one for a URL without a host.
        error if !sent => TransportError::other(error).not_retryable(),
        error => TransportError::other(error),
    };
    if sent { error } else { error.not_sent() }
}

fn from_step(step: Step) -> TransportError {
    match step {
        Step::Connect(error) => TransportError::connect(source(error)),
        Step::Closed(error) => TransportError::interrupted(source(error)),
        #[cfg(feature = "tls")]
        Step::Tls(error) if is_final(&error) => TransportError::certificate(source(error)),
        Step::Tls(error) => TransportError::tls(source(error)),
    }
}

/// Whether the handshake would fail in the same way again: the certificate is not accepted, or the
/// handshake could not even begin, as on a host that trusts no authority at all.
#[cfg(feature = "tls")]
fn is_final(error: &Error) -> bool {
    match error {
        Error::Io(error) => matches!(
            error.get_ref().and_then(|inner| inner.downcast_ref()),
            Some(rustls::Error::InvalidCertificate(_))
        ),
        Error::Rustls(_) | Error::Tls(_) => true,
        _ => false,
    }
}

fn source(error: Error) -> Box<dyn StdError + Send + Sync> {
    match error {
        Error::Io(error) => error.into(),
        error => error.into(),
    }
}
