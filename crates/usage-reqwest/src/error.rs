//! From reqwest's errors to the kinds that every adapter knows.

use std::{io, time::Duration};

use reqwest::Url;
use usage_proto::{TransportError, causes};

/// The error of a call to `asked` that brought no head. `connect` is how long reqwest's client may
/// take to connect, if it is known; `taken` says whether the report had been on its way.
pub(crate) fn transport_error(
    error: reqwest::Error,
    asked: &Url,
    connect: Option<Duration>,
    taken: bool,
) -> TransportError {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};

    let refused = error.is_builder() && error.url() == Some(asked);
    // The URL may have user information in it; `TransportError::at` names the host.
    let error = error.without_url();
    let any = |is: fn(&io::Error) -> bool| causes(&error).filter_map(|e| e.downcast_ref()).any(is);
    // The system's own time-out is a connection that broke, or could not be made.
    let timed_out = error.is_timeout() && !any(|error| error.raw_os_error().is_some());
    // A connection that ended has come about, even if it was gone before anyone looked.
    let ended = any(|error| {
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    });
    #[cfg(feature = "tls")]
    let refused_for_good = causes(&error).find_map(crate::tls::refused_for_good);
    #[cfg(not(feature = "tls"))]
    let refused_for_good = None;
    match (error.is_connect() && !taken, connect) {
        _ if refused => TransportError::other(error).not_sent().not_retryable(),
        // One of the application's own.
        (false, _) if timed_out => TransportError::timeout(error),
        (false, _) if error.is_request() => TransportError::interrupted(error),
        (false, _) => TransportError::other(error),
        (true, None) if timed_out => TransportError::timeout(error).not_sent(),
        (true, Some(connect)) if timed_out => TransportError::connect_deadline(connect),
        _ if refused_for_good == Some(true) => TransportError::certificate(error),
        _ if refused_for_good == Some(false) => TransportError::tls(error),
        _ if ended && asked.scheme() == "https" => TransportError::tls(error),
        _ if ended => TransportError::interrupted(error),
        _ => TransportError::connect(error),
    }
}
