//! From reqwest's errors to the kinds that every adapter knows.

use std::io;
use std::time::Duration;

use reqwest::Url;
use usage_proto::{TransportError, causes};

/// The answer to a request that reqwest has sent to another place as well.
#[derive(Debug, thiserror::Error)]
#[error(
    "the answer is from {0}, where reqwest has followed a redirect to, and the token may have gone \
     along: build its client with `redirect::Policy::none()`"
)]
pub(crate) struct Followed(pub(crate) String);

/// The error of a call to `asked` that brought no head. `connect` is the connect deadline, if it is
/// known.
pub(crate) fn transport_error(
    error: reqwest::Error,
    asked: &Url,
    connect: Option<Duration>,
) -> TransportError {
    let untaken = error.is_builder() && error.url() == Some(asked);
    // The URL may have user information in it; `TransportError::at` names the host.
    let error = error.without_url();
    let io = || causes(&error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    // The system's own time-out is a connection that broke, or could not be made.
    let deadline = error.is_timeout() && !io().any(|error| error.raw_os_error().is_some());
    // A connection that ended has come about, even if it was gone before anyone looked.
    let ended = io().any(has_ended);
    if untaken {
        return TransportError::other(error).not_sent().not_retryable();
    }
    if !error.is_connect() {
        return match (deadline, error.is_request()) {
            // One that the application has set on reqwest.
            (true, _) => TransportError::timeout(error),
            (false, true) => TransportError::interrupted(error),
            (false, false) => TransportError::other(error),
        };
    }
    if deadline {
        return match connect {
            Some(connect) => TransportError::connect_deadline(connect),
            None => TransportError::timeout(error).not_sent(),
        };
    }
    #[cfg(feature = "tls")]
    {
        let fault = causes(&error).find_map(crate::tls::fault);
        if let Some(make) = fault {
            return make(error);
        }
    }
    match (ended, asked.scheme()) {
        (true, "https") => TransportError::tls(error),
        (true, _) => TransportError::interrupted(error),
        (false, _) => TransportError::connect(error),
    }
}

fn has_ended(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};

    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}
