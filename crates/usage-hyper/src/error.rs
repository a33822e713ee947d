//! From the errors of hyper, and of services that are not ours, to the kinds that every adapter
//! knows (rule W40).

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::iter::successors;
use std::time::Duration;

use hyper_util::client::legacy;
use tokio::time::error::Elapsed;
use usage_proto::TransportError;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// Why there is no connection; travels inside hyper-util's error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Tcp(BoxError),
    /// Connected, and reset before anybody has looked, which TCP tells as one event.
    #[error(transparent)]
    Reset(BoxError),
    /// On the way to a proxy, which is not the API's fault.
    #[error("through the proxy {proxy}")]
    ThroughProxy { proxy: String, source: Box<Self> },
    #[error("it took longer than {} s to connect", .0.as_secs_f64())]
    Deadline(Duration),
    #[error("the URL is neither http nor https")]
    Scheme,
    /// Nobody waits for the connection, so nobody sees this.
    #[error("the request has another connection")]
    Unneeded,
    /// The handshake failed.
    #[error(transparent)]
    Tls(BoxError),
    #[cfg(feature = "tls")]
    #[error("this host has no usable certificate authorities: install them, or set SSL_CERT_FILE")]
    NoAuthorities(#[source] rustls::Error),
    /// The host of the URL can be in no certificate.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Name(rustls::pki_types::InvalidDnsNameError),
    #[cfg(not(feature = "tls"))]
    #[error("https is not built in: turn on the feature `tls` of usage-hyper")]
    NoTls,
}

/// Why a call ended without a word from its service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("it took longer than {} s in all", .0.as_secs_f64())]
    Deadline(Duration),
    #[error("there is no tokio runtime here: await the future in one")]
    NoRuntime,
}

impl ConnectError {
    /// No connection to the server itself, or to a proxy that passes requests on.
    pub(crate) fn direct(error: BoxError, https: bool) -> Self {
        let io = innermost::<io::Error>(&*error);
        match io.is_some_and(|error| error.kind() == ErrorKind::ConnectionReset) {
            false => Self::Tcp(error),
            true if https => Self::Tls(error),
            true => Self::Reset(error),
        }
    }
}

/// What an error comes to.
enum Situation {
    Connect,
    Tls,
    /// No TLS, and none another time.
    Certificate,
    ConnectDeadline,
    Deadline,
    Interrupted,
    Protocol,
    /// A request that nobody can send.
    Unsendable,
    Other,
}

/// The error of a call that brought no head.
pub(crate) fn transport_error(error: BoxError) -> TransportError {
    let error = match error.downcast::<TransportError>() {
        // A service that knows better.
        Ok(error) => return *error,
        Err(error) => error,
    };
    let situation = situation(&*error);
    let source = match error.downcast::<legacy::Error>() {
        Ok(error) => Inner(*error).into(),
        Err(error) => error,
    };
    match situation {
        Situation::Connect => TransportError::connect(source),
        Situation::Tls => TransportError::tls(source),
        Situation::Certificate => TransportError::certificate(source),
        Situation::ConnectDeadline => TransportError::timeout(source).not_sent(),
        Situation::Deadline => TransportError::timeout(source),
        Situation::Interrupted => TransportError::interrupted(source),
        Situation::Protocol => TransportError::protocol(source),
        Situation::Unsendable => TransportError::other(source).not_sent().not_retryable(),
        Situation::Other => TransportError::other(source),
    }
}

fn situation(error: &(dyn StdError + 'static)) -> Situation {
    if let Some(error) = innermost(error) {
        return unconnected(error);
    }
    match innermost::<legacy::Error>(error) {
        Some(error) if error.is_connect() => return unreached(error),
        Some(error) if error.source().is_none() => return Situation::Unsendable,
        _ => {}
    }
    match innermost(error) {
        Some(error) => unanswered(error),
        None => unknown(error),
    }
}

/// From our own connector.
fn unconnected(error: &ConnectError) -> Situation {
    match error {
        ConnectError::ThroughProxy { source, .. } => unconnected(source),
        ConnectError::Tcp(error) if ran_out(&**error) => Situation::ConnectDeadline,
        ConnectError::Tcp(_) | ConnectError::Unneeded => Situation::Connect,
        ConnectError::Reset(_) => Situation::Interrupted,
        ConnectError::Deadline(_) => Situation::ConnectDeadline,
        ConnectError::Scheme => Situation::Unsendable,
        #[cfg(feature = "tls")]
        ConnectError::Tls(error) if is_certificate(&**error) => Situation::Certificate,
        ConnectError::Tls(_) => Situation::Tls,
        #[cfg(feature = "tls")]
        ConnectError::NoAuthorities(_) | ConnectError::Name(_) => Situation::Certificate,
        #[cfg(not(feature = "tls"))]
        ConnectError::NoTls => Situation::Certificate,
    }
}

/// From another connector, in a service that uses hyper-util.
fn unreached(error: &legacy::Error) -> Situation {
    #[cfg(feature = "tls")]
    if is_certificate(error) {
        return Situation::Certificate;
    }
    #[cfg(feature = "tls")]
    if innermost::<rustls::Error>(error).is_some() {
        return Situation::Tls;
    }
    match innermost::<io::Error>(error) {
        _ if ran_out(error) => Situation::ConnectDeadline,
        // TCP ends like this once it is connected, which is in a handshake here.
        Some(error) if error.kind() == ErrorKind::UnexpectedEof => Situation::Tls,
        _ => Situation::Connect,
    }
}

/// From hyper, once there was a connection.
fn unanswered(error: &hyper::Error) -> Situation {
    let ended = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    // Or our own connection has found that the other end has read nothing for as long.
    if error.is_timeout() || ran_out(error) {
        Situation::Deadline
    } else if error.is_user() {
        Situation::Other
    } else if error.is_parse() || (error.source().is_none() && !ended) {
        // What has no source is a message that came before the request, as from a mail server.
        Situation::Protocol
    } else {
        Situation::Interrupted
    }
}

/// From a service that does not say that it uses hyper.
fn unknown(error: &(dyn StdError + 'static)) -> Situation {
    #[cfg(feature = "tls")]
    if is_certificate(error) {
        return Situation::Certificate;
    }
    if ran_out(error) {
        return Situation::Deadline;
    }
    let Some(error) = innermost::<io::Error>(error) else { return Situation::Other };
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::AddrNotAvailable => Situation::Connect,
        ErrorKind::BrokenPipe
        | ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NotConnected
        | ErrorKind::TimedOut
        | ErrorKind::UnexpectedEof => Situation::Interrupted,
        _ => Situation::Other,
    }
}

/// Whether somebody's deadline passed; the system's own `ETIMEDOUT` is a connection that broke.
fn ran_out(error: &(dyn StdError + 'static)) -> bool {
    innermost::<Elapsed>(error).is_some()
        || innermost::<io::Error>(error).is_some_and(|error| {
            error.kind() == ErrorKind::TimedOut && error.raw_os_error().is_none()
        })
}

/// Whether a certificate was not accepted, which it would not be another time either.
#[cfg(feature = "tls")]
fn is_certificate(error: &(dyn StdError + 'static)) -> bool {
    chain(error)
        .filter_map(<dyn StdError>::downcast_ref)
        .any(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
}

/// The error of a type that tells most: a request may have been canceled because of nonsense that
/// came in its place.
fn innermost<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    chain(error).filter_map(<dyn StdError>::downcast_ref).last()
}

/// The error and what is behind it, one after the other.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    // An `io::Error` passes over the error that it holds.
    successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        }
    })
}

/// hyper-util's error without its own line, such as "client error (Connect)", which tells nothing
/// that ours does not.
#[derive(Debug)]
struct Inner(legacy::Error);

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.source() {
            Some(source) => write!(f, "{source}"),
            None => write!(f, "{}", self.0),
        }
    }
}

impl StdError for Inner {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()?.source()
    }
}
