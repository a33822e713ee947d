use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// A longer value of a variable names no proxy that there is. What is shorter fits into a URI, with
/// every byte of its credentials percent-encoded.
const LONGEST: usize = 8 << 10;

/// A proxy that speaks plain HTTP. Every value of it can be used: [`uri`](Self::uri) is a URI, and
/// [`authorization`](Self::authorization) a header value.
///
/// `Debug` shows neither user name nor password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: Host,
    port: u16,
    uri: Uri,
    credentials: Option<Credentials>,
}

#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    username: String,
    password: Option<String>,
    /// Made of the two, and marked sensitive.
    authorization: HeaderValue,
}

impl Proxy {
    pub(super) fn parse(variable: &'static str, value: &str) -> Result<Self, InvalidProxy> {
        let fault = |reason| InvalidProxy { variable, reason };
        // The parser would drop some of these, and so reach a host that the variable does not name.
        if value.len() > LONGEST || value.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(fault(Reason::Address));
        }
        let url = match value.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => Url::parse(value),
            Some(_) => return Err(fault(Reason::Scheme)),
            None => Url::parse(&format!("http://{value}")),
        };
        let url = url.map_err(|_| fault(Reason::Address))?;
        let host = url.host().ok_or(fault(Reason::Address))?.to_owned();
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().ok()?;
            // What cannot stand in a header is no credential.
            (!text.contains(|c: char| c.is_control())).then(|| text.into_owned())
        };
        let username = decoded(url.username()).ok_or(fault(Reason::Credentials))?;
        let password = url.password().map(|text| decoded(text).ok_or(fault(Reason::Credentials)));
        let password = password.transpose()?;
        let credentials = if username.is_empty() && password.is_none() {
            None
        } else {
            Some(Credentials::new(username, password).ok_or(fault(Reason::Credentials))?)
        };
        let port = url.port_or_known_default().ok_or(fault(Reason::Address))?;
        Ok(Self {
            // A WHATWG parser takes hosts that cannot stand in a URI, such as `a"b`.
            uri: to_uri(&host, port).ok_or(fault(Reason::Address))?,
            credentials,
            host,
            port,
        })
    }

    /// The host: a name, or an address, without brackets around an IPv6 one.
    #[must_use]
    pub fn host(&self) -> String {
        match &self.host {
            Host::Ipv6(address) => address.to_string(),
            host => host.to_string(),
        }
    }

    /// The port, 80 unless the variable said otherwise.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host:port` as it stands in a URL, with brackets around an IPv6 address.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// `http://host:port/`, without credentials.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The user name, if there are credentials; it may be empty.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.credentials.as_ref().map(|credentials| &*credentials.username)
    }

    /// The password, if there is one.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.credentials.as_ref()?.password.as_deref()
    }

    /// The value of `Proxy-Authorization`, marked sensitive, if there are credentials (RFC 7617).
    #[must_use]
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref().map(|credentials| &credentials.authorization)
    }
}

impl Credentials {
    /// `None` if they cannot stand in a header.
    fn new(username: String, password: Option<String>) -> Option<Self> {
        let pair = format!("{username}:{}", password.as_deref().unwrap_or_default());
        let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
        let mut authorization = HeaderValue::try_from(basic).ok()?;
        authorization.set_sensitive(true);
        Some(Self { username, password, authorization })
    }
}

fn to_uri(host: &Host, port: u16) -> Option<Uri> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(Authority::try_from(format!("{host}:{port}")).ok()?);
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).ok()
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("authority", &self.authority())
            .field("credentials", &self.credentials.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

/// A proxy variable that holds no usable address. Its value may hold a password and is not
/// repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {variable} {reason}, or list the host in NO_PROXY")]
pub struct InvalidProxy {
    variable: &'static str,
    reason: Reason,
}

impl InvalidProxy {
    /// The name of the variable.
    #[must_use]
    pub fn variable(&self) -> &str {
        self.variable
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("names a proxy of a kind that is not supported: write `http://host:port`")]
    Scheme,
    #[error("holds no address of a proxy: write `http://host:port`")]
    Address,
    #[error("holds a user name or password that is not percent-encoded text: mend it")]
    Credentials,
}
