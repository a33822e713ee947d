//! From reqwest's errors to the kinds that every adapter knows.

use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
use std::io::{self, ErrorKind};

use reqwest::{Error, Url};
use usage_proto::{TransportError, causes};

use crate::client::Client;

impl Client {
    /// Why a call to `asked` brought no head. `taken` says whether reqwest had begun to send the
    /// report, as before a redirect that it has followed.
    pub(crate) fn explain(&self, error: Error, asked: &Url, taken: bool) -> TransportError {
        let refused = error.is_builder() && error.url() == Some(asked);
        // The URL may have user information in it; `TransportError::at` names the host.
        let error = error.without_url();
        let io = |f: fn(&io::Error) -> bool| causes(&error).filter_map(|e| e.downcast_ref()).any(f);
        // The system's own time-out is a connection that broke, or could not be made.
        let timed_out = error.is_timeout() && !io(|error| error.raw_os_error().is_some());
        // A connection that ended has come about, even if it was gone before anyone looked.
        let ended = io(|error| ENDED.contains(&error.kind()));
        #[cfg(feature = "tls")]
        let refused_for_good = causes(&error).find_map(crate::tls::refused_for_good);
        #[cfg(not(feature = "tls"))]
        let refused_for_good = None;
        let error = match (error.is_connect() && !taken, self.connect) {
            _ if refused => Self::unusable(error),
            // One of the application's own.
            (false, _) if timed_out => TransportError::timeout(error),
            (false, _) if error.is_request() => TransportError::interrupted(error),
            (false, _) => TransportError::other(error),
            (_, Some(connect)) if timed_out => TransportError::connect_deadline(connect),
            _ if timed_out => TransportError::timeout(error).not_sent(),
            _ if refused_for_good == Some(true) => TransportError::certificate(error),
            _ if refused_for_good == Some(false) => TransportError::tls(error),
            _ if ended && asked.scheme() == "https" => TransportError::tls(error),
            _ if ended => TransportError::interrupted(error),
            _ => TransportError::connect(error),
        };
        self.proxy.iter().fold(error, |error, proxy| error.through(proxy))
    }

    /// Nothing can be sent, and it would be the same another time.
    pub(crate) fn unusable(error: Error) -> TransportError {
        TransportError::other(error.without_url()).not_sent().not_retryable()
    }
}

/// How a connection ends that has come about.
const ENDED: [ErrorKind; 4] = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
