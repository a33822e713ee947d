//! From reqwest's errors to the kinds that every adapter knows (rule W40).

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use usage_proto::{Deadlines, TransportError};

/// What comes next once there is a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The request itself, to the API or to a proxy that passes it on.
    Request,
    /// The TLS handshake.
    Handshake,
    /// The request for a tunnel, to a proxy.
    Tunnel,
}

/// What is known of a call that brought no head.
pub(crate) struct Circumstances<'a> {
    /// Whether any of the request may have left.
    pub(crate) sent: bool,
    pub(crate) next: Next,
    /// Host and port of the proxy.
    pub(crate) proxy: Option<&'a str>,
    pub(crate) deadlines: Deadlines,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

/// Which deadline has passed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Passed {
    #[error("it took longer than {} s in all", .0.as_secs_f64())]
    Total(Duration),
    #[error("it took longer than {} s to connect", .0.as_secs_f64())]
    Connect(Duration),
}

/// What went wrong on the way to a proxy, which is not the API's fault.
#[derive(Debug, thiserror::Error)]
#[error("through the proxy {proxy}")]
struct ThroughProxy {
    proxy: String,
    source: Source,
}

type Source = Box<dyn StdError + Send + Sync>;

impl Circumstances<'_> {
    /// `source`, with the proxy in front if there is one.
    fn on_the_way(&self, source: impl Into<Source>) -> Source {
        let source = source.into();
        match self.proxy {
            Some(proxy) => ThroughProxy { proxy: proxy.to_owned(), source }.into(),
            None => source,
        }
    }
}

/// The error of a call that brought no head.
pub(crate) fn transport_error(error: reqwest::Error, call: &Circumstances<'_>) -> TransportError {
    // The URL may have user information in it; `TransportError::at` names the host.
    let error = error.without_url();
    if is_deadline(&error) {
        return timeout(error, call);
    }
    if error.is_connect() {
        return connect_error(error, call);
    }
    // The last one is where it began.
    let http = causes(&error).filter_map(|cause| cause.downcast_ref()).last();
    match http.map(is_malformed) {
        Some(true) => TransportError::protocol(error),
        Some(false) => TransportError::interrupted(error),
        // A request that reqwest did not take, such as one for a URL without a host.
        None if !call.sent => TransportError::other(error).not_sent().not_retryable(),
        None => TransportError::other(error),
    }
}

/// Whether the request was given back, for a reason that is not told.
pub(crate) fn was_canceled(error: &reqwest::Error) -> bool {
    let last = causes(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>()).last();
    last.is_some_and(hyper::Error::is_canceled)
}

/// Whether a deadline passed; the system's own time-out is a connection that broke.
fn is_deadline(error: &reqwest::Error) -> bool {
    let system = |cause: &(dyn StdError + 'static)| {
        cause.downcast_ref().and_then(io::Error::raw_os_error).is_some()
    };
    error.is_timeout() && !causes(error).any(system)
}

fn timeout(error: reqwest::Error, call: &Circumstances<'_>) -> TransportError {
    let Deadlines { total, connect, .. } = call.deadlines;
    let source = if error.is_connect() && call.elapsed >= connect {
        Passed::Connect(connect).into()
    } else if call.elapsed >= total {
        Passed::Total(total).into()
    } else {
        // One that the application has set on reqwest.
        Source::from(error)
    };
    if call.sent {
        TransportError::timeout(source)
    } else {
        TransportError::timeout(call.on_the_way(source)).not_sent()
    }
}

/// Whether what came is no answer. hyper has no name for bytes that came before the request had
/// left, as from a server that speaks first.
fn is_malformed(error: &hyper::Error) -> bool {
    let ended = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    error.is_parse() || !(ended || error.source().is_some())
}

fn connect_error(error: reqwest::Error, call: &Circumstances<'_>) -> TransportError {
    #[cfg(feature = "tls")]
    match tls_fault(&error) {
        Some(Fault::Final) => return TransportError::certificate(error),
        Some(Fault::Passing) => return TransportError::tls(error),
        None => {}
    }
    // A connection that is reset came about, even if it was gone before anyone looked.
    let reset = causes(&error).any(|cause| {
        cause.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::ConnectionReset)
    });
    match (reset, call.next) {
        (true, Next::Request) => TransportError::interrupted(error),
        (true, Next::Handshake) => TransportError::tls(error),
        _ => TransportError::connect(call.on_the_way(error)),
    }
}

#[cfg(feature = "tls")]
enum Fault {
    /// The handshake would fail in the same way again.
    Final,
    Passing,
}

#[cfg(feature = "tls")]
fn tls_fault(error: &reqwest::Error) -> Option<Fault> {
    use rustls::pki_types::InvalidDnsNameError;

    for cause in causes(error) {
        if cause.is::<InvalidDnsNameError>() {
            return Some(Fault::Final);
        }
        if let Some(error) = cause.downcast_ref() {
            return Some(if is_final(error) { Fault::Final } else { Fault::Passing });
        }
    }
    // Below the error of the pool stands the connector's own: that of the handshake is an
    // `io::Error`, such as its early end, while the steps before it have their own types.
    let connector = error.source().and_then(StdError::source);
    connector.is_some_and(<dyn StdError>::is::<io::Error>).then_some(Fault::Passing)
}

#[cfg(feature = "tls")]
fn is_final(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(_) => true,
        rustls::Error::Other(error) => error.0.is::<crate::tls::NoAuthorities>(),
        _ => false,
    }
}

/// The error and all that is below it.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// An `io::Error` hides what it was made from: its source is that error's source.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
