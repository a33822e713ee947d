//! From ureq's errors to the kinds that every adapter knows (rule W40).
//!
//! ureq does not say how far a request came. Once its body was asked for, it may have been sent.
//! Before, an error has to say by itself that there was no connection.

use std::io::{self, ErrorKind};

use ureq::{Error, Timeout};
use usage_proto::{Deadlines, TransportError};

/// Why a call brought no answer. `asked_for` says whether the body of its request was.
pub(crate) fn explain(error: Error, asked_for: bool, deadlines: Deadlines) -> TransportError {
    match error {
        Error::Timeout(Timeout::Global) => TransportError::total_deadline(deadlines.total),
        Error::Timeout(Timeout::Resolve | Timeout::Connect) if !asked_for => {
            TransportError::connect_deadline(deadlines.connect)
        }
        Error::Timeout(_) => TransportError::timeout(error),
        Error::Protocol(_) | Error::LargeResponseHeader(..) => TransportError::protocol(error),
        Error::Io(error) if asked_for => TransportError::interrupted(error),
        // Such as one of a middleware that has tried again.
        error if asked_for => TransportError::other(error),
        Error::Io(error) => before_the_body(error),
        Error::HostNotFound | Error::ConnectionFailed | Error::ConnectProxyFailed(_) => {
            TransportError::connect(error)
        }
        #[cfg(feature = "tls")]
        Error::Rustls(_) => TransportError::no_authorities(error),
        Error::Tls(_) => TransportError::tls(error).not_retryable(),
        Error::TlsRequired => TransportError::tls_not_built_in("usage-ureq"),
        error => TransportError::other(error),
    }
}

/// From any step until the head was written. Nothing is read before but a handshake.
fn before_the_body(error: io::Error) -> TransportError {
    #[cfg(feature = "tls")]
    if let Some(fault) = { usage_proto::causes(&error).find_map(|one| one.downcast_ref()).cloned() }
    {
        use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
        return match fault {
            // By the clock of this host, which may be what is wrong.
            rustls::Error::InvalidCertificate(
                Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
            ) => TransportError::tls(error),
            rustls::Error::InvalidCertificate(_) => TransportError::certificate(error),
            _ => TransportError::tls(error),
        };
    }
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable => TransportError::connect(error),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset => {
            TransportError::interrupted(error)
        }
        ErrorKind::UnexpectedEof => TransportError::tls(error),
        _ if is_of_a_look_up(&error) => TransportError::connect(error),
        _ => TransportError::other(error),
    }
}

/// Whether a name was not found. The standard library has no kind for that, so it is the one of
/// what has none; the numbers are those of Windows, and other systems have none.
fn is_of_a_look_up(error: &io::Error) -> bool {
    error.kind() == io::Error::from_raw_os_error(i32::MAX).kind()
        && error.raw_os_error().is_none_or(|code| (11_001..=11_004).contains(&code))
}
