use std::error::Error as StdError;
use std::fmt;

use std::time::Duration;

use http::Uri;

use crate::causes;
use crate::proxy::Proxy;

type Source = Box<dyn StdError + Send + Sync>;

/// There was no answer: nothing came that had a complete head.
///
/// Adapters make it from their library's errors; the constructors say which situation each is for.
///
/// ```
/// use usage_proto::{TransportError, TransportErrorKind};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = TransportError::connect(refused).at(&"http://127.0.0.1:1/api".parse()?);
/// assert_eq!(error.kind(), TransportErrorKind::Connect);
/// assert!(!error.may_have_been_sent());
/// assert!(error.is_retryable());
/// assert_eq!(error.to_string(), "could not connect to http://127.0.0.1:1");
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    may_have_been_sent: bool,
    retryable: bool,
    /// `scheme://authority`, where the adapter told.
    origin: Option<String>,
    source: Source,
}

/// The situation in which there was no answer.
///
/// Connect, time-out and TLS are the same from every adapter. What broke off before a complete head is
/// interrupted or protocol as the HTTP library tells it; both may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: refused, unreachable, no such name, or a proxy that gave no tunnel.
    Connect,
    /// No TLS session: the handshake failed or ended early, or the certificate was not accepted.
    Tls,
    /// A deadline passed.
    Timeout,
    /// Connected, then closed or reset before a complete head.
    Interrupted,
    /// What came is not the head of an HTTP answer, or is too large for one.
    Protocol,
    /// Anything else.
    Other,
}

impl TransportErrorKind {
    /// The kind in one lower-case word, as the command prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Protocol => "protocol",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// # Construct
impl TransportError {
    fn new(kind: TransportErrorKind, sent: bool, source: impl Into<Source>) -> Self {
        Self {
            kind,
            may_have_been_sent: sent,
            retryable: true,
            origin: None,
            source: source.into(),
        }
    }

    /// No connection came about: refused, unreachable, no such name, or a proxy that gave no
    /// tunnel. Nothing was sent.
    #[must_use]
    pub fn connect(source: impl Into<Source>) -> Self {
        Self::new(TransportErrorKind::Connect, false, source)
    }

    /// A TLS handshake that failed or ended early, for any reason but the certificate. Nothing was
    /// sent.
    #[must_use]
    pub fn tls(source: impl Into<Source>) -> Self {
        Self::new(TransportErrorKind::Tls, false, source)
    }

    /// A certificate that is untrusted or for another name: the kind is TLS, nothing was sent, and
    /// a retry would fail again.
    ///
    /// One that is not yet valid, or has expired, by this host's clock is [`tls`](Self::tls): the
    /// clock may be what is wrong, and be set right later.
    #[must_use]
    pub fn certificate(source: impl Into<Source>) -> Self {
        Self::tls(source).not_retryable()
    }

    /// `https`, and the adapter was built without TLS. `adapter` is the crate whose feature `tls`
    /// is off.
    #[must_use]
    pub fn tls_not_built_in(adapter: &'static str) -> Self {
        Self::tls(Circumstance::NoTls(adapter)).not_retryable()
    }

    /// This host trusts no certificate authority, or they cannot be read: no handshake can begin.
    #[must_use]
    pub fn no_authorities(source: impl Into<Source>) -> Self {
        Self::tls(NoAuthorities(source.into())).not_retryable()
    }

    /// A deadline passed. The request may have been sent, unless [`not_sent`](Self::not_sent) says
    /// otherwise.
    #[must_use]
    pub fn timeout(source: impl Into<Source>) -> Self {
        Self::new(TransportErrorKind::Timeout, true, source)
    }

    /// The [total deadline](crate::Deadlines::total) passed. The request may have been sent, unless
    /// [`not_sent`](Self::not_sent) says otherwise.
    #[must_use]
    pub fn total_deadline(passed: Duration) -> Self {
        Self::timeout(Circumstance::Total(passed))
    }

    /// The [connect deadline](crate::Deadlines::connect) passed. Nothing was sent.
    #[must_use]
    pub fn connect_deadline(passed: Duration) -> Self {
        Self::timeout(Circumstance::Connect(passed)).not_sent()
    }

    /// The connection was closed or reset before a complete head. The request may have been sent.
    #[must_use]
    pub fn interrupted(source: impl Into<Source>) -> Self {
        Self::new(TransportErrorKind::Interrupted, true, source)
    }

    /// What came is not the head of an HTTP answer, or is too large for one. The request may have
    /// been sent.
    #[must_use]
    pub fn protocol(source: impl Into<Source>) -> Self {
        Self::new(TransportErrorKind::Protocol, true, source)
    }

    /// Anything that is none of the other kinds. The request may have been sent.
    #[must_use]
    pub fn other(source: impl Into<Source>) -> Self {
        Self::new(TransportErrorKind::Other, true, source)
    }

    /// What a service of the application's own has failed with. A [`TransportError`] in the chain of
    /// its sources says what it comes to; without one it is [`other`](Self::other).
    #[must_use]
    pub fn of_service(error: impl Into<Source>) -> Self {
        let error = match error.into().downcast::<Self>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        let found = causes(&*error).find_map(|cause| cause.downcast_ref::<Self>());
        match found.map(|found| (found.kind, found.may_have_been_sent, found.retryable)) {
            Some((kind, may_have_been_sent, retryable)) => {
                Self { kind, may_have_been_sent, retryable, origin: None, source: error }
            }
            None => Self::other(error),
        }
    }

    /// More [interim answers](crate::Collector::MAX_INTERIM) came than are passed over. Whoever sends
    /// these may never send another.
    #[must_use]
    pub fn too_many_interim() -> Self {
        Self::protocol(Circumstance::Interim)
    }

    /// The server spoke before it was asked: what it said is not an answer.
    #[must_use]
    pub fn spoke_first() -> Self {
        Self::protocol(Circumstance::SpokeFirst)
    }

    /// An async adapter was called where there is no runtime that it can use. Nothing was sent, and
    /// it would fail again.
    #[must_use]
    pub fn no_runtime() -> Self {
        Self::other(Circumstance::NoRuntime).not_sent().not_retryable()
    }

    /// Says that it happened on the way through `proxy`, whose host and port become part of the
    /// cause: the API is not at fault. The proxy's credentials do not.
    #[must_use]
    pub fn through(mut self, proxy: &Proxy) -> Self {
        self.source = ThroughProxy { authority: proxy.authority(), source: self.source }.into();
        self
    }

    /// Says that no byte of the request has left.
    #[must_use]
    pub fn not_sent(mut self) -> Self {
        self.may_have_been_sent = false;
        self
    }

    /// Says that bytes of the request may have left, whatever the kind is.
    #[cfg(feature = "http1")]
    pub(crate) fn sent(mut self) -> Self {
        self.may_have_been_sent = true;
        self
    }

    /// Says that the same request would fail again, as where TLS is not built in.
    #[must_use]
    pub fn not_retryable(mut self) -> Self {
        self.retryable = false;
        self
    }

    /// Names the other end in the message: the scheme, host and port of the request's URI.
    #[must_use]
    pub fn at(mut self, uri: &Uri) -> Self {
        if let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) {
            // `as_str` would repeat user information, which a hand-made URI may have.
            let host = authority.host();
            self.origin = Some(match authority.port() {
                Some(port) => format!("{scheme}://{host}:{port}"),
                None => format!("{scheme}://{host}"),
            });
        }
        self
    }
}

/// # Inspect
impl TransportError {
    /// The situation.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether bytes of the request may have left; never `false` when they may.
    ///
    /// The API may have stored the report then. With an [`IdempotencyKey`](crate::IdempotencyKey)
    /// on it a retry is counted once.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }

    /// Whether the same request may succeed later: always, but for a certificate that is not
    /// accepted and for what the adapter knows to fail again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

/// Says what happened and to which host. Why is the source's to say: `{:#}` shows both.
impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.origin.as_deref().unwrap_or("the Usage API");
        match self.kind {
            TransportErrorKind::Connect => write!(f, "could not connect to {to}")?,
            TransportErrorKind::Tls => write!(f, "no TLS session with {to}")?,
            TransportErrorKind::Timeout => write!(f, "no answer from {to} in time")?,
            TransportErrorKind::Interrupted => {
                write!(f, "{to} closed the connection before it answered")?;
            }
            TransportErrorKind::Protocol => write!(f, "{to} did not answer in HTTP")?,
            TransportErrorKind::Other => write!(f, "no answer from {to}")?,
        }
        causes::write_if_alternate(f, self)
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// What the adapters would each have words for.
#[derive(Debug, thiserror::Error)]
enum Circumstance {
    #[error("it took longer than {} s in all", .0.as_secs_f64())]
    Total(Duration),
    #[error("it took longer than {} s to connect", .0.as_secs_f64())]
    Connect(Duration),
    #[error("https is not built in: turn on the feature `tls` of {0}")]
    NoTls(&'static str),
    #[error("there is no tokio runtime with its IO and time drivers on here: await it in one")]
    NoRuntime,
    #[error(
        "more than {} interim answers came, and no other",
        crate::collector::Collector::MAX_INTERIM
    )]
    Interim,
    #[error("the server spoke before it was asked")]
    SpokeFirst,
}

#[derive(Debug, thiserror::Error)]
#[error("this host has no usable certificate authorities: install them, or set SSL_CERT_FILE")]
struct NoAuthorities(#[source] Source);

#[derive(Debug, thiserror::Error)]
#[error("through the proxy {authority}")]
struct ThroughProxy {
    authority: String,
    source: Source,
}
