//! From ureq's errors to the kinds that every adapter knows (rule W40).

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use ureq::config::Config;
use ureq::{Error, Timeout};
use usage_proto::TransportError;

type Source = Box<dyn StdError + Send + Sync>;

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

/// Which deadline has passed.
#[derive(Debug, thiserror::Error)]
enum Passed {
    #[error("it took longer than {} s in all", .0.as_secs_f64())]
    Total(Duration),
    #[error("it took longer than {} s to connect", .0.as_secs_f64())]
    Connect(Duration),
    /// One that the application has set on ureq.
    #[error("ureq's time-out `{0}` has passed")]
    Other(Timeout),
}

impl Passed {
    fn new(timeout: Timeout, config: &Config) -> Self {
        let timeouts = config.timeouts();
        match (timeout, timeouts.global, timeouts.connect) {
            (Timeout::Global, Some(total), _) => Self::Total(total),
            (Timeout::Connect | Timeout::Resolve, _, Some(connect)) => Self::Connect(connect),
            (other, ..) => Self::Other(other),
        }
    }
}

/// What went wrong on the way to a proxy, which is not the API's fault.
#[derive(Debug, thiserror::Error)]
#[error("through the proxy {host}:{port}")]
struct ThroughProxy {
    host: String,
    port: u16,
    source: Source,
}

/// `source`, with the proxy in front if there is one. Its credentials are not told.
fn on_the_way(source: impl Into<Source>, config: &Config) -> Source {
    let source = source.into();
    match config.proxy() {
        Some(proxy) => {
            let (host, port) = (proxy.host().to_owned(), proxy.port());
            ThroughProxy { host, port, source }.into()
        }
        None => source,
    }
}

/// The error of a call that brought no head. `sent` says whether any of the request may have left.
pub(crate) fn transport_error(error: Error, sent: bool, config: &Config) -> TransportError {
    let error = match error {
        Error::Timeout(timeout) => {
            let passed = Passed::new(timeout, config);
            TransportError::timeout(if sent { passed.into() } else { on_the_way(passed, config) })
        }
        Error::Io(error) => TransportError::interrupted(error),
        Error::Protocol(_) | Error::LargeResponseHeader(..) => TransportError::protocol(error),
        Error::Other(inner) => match inner.downcast::<Step>() {
            Ok(step) => from_step(*step, config),
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

fn from_step(step: Step, config: &Config) -> TransportError {
    match step {
        Step::Connect(error) => TransportError::connect(on_the_way(source(error), config)),
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

fn source(error: Error) -> Source {
    match error {
        Error::Io(error) => error.into(),
        error => error.into(),
    }
}
