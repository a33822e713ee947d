//! Where the API is: a base URL that is checked once and then only appended to.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::uri::{Authority, Scheme};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{Host, Url};

use crate::uri_text;

/// The address of a Usage API, to which every path is appended.
///
/// A base URL is `http` or `https`, has a host, and may have a port and a path prefix. It has no
/// user information, no query and no fragment. A trailing slash makes no difference.
///
/// It is checked against the grammar of RFC 3986 before the `url` crate sees it, since a WHATWG
/// parser mends what is better refused: `https:host`, `http:///x`, a trailing newline, `http://1`.
///
/// ```
/// use usage_proto::BaseUrl;
///
/// let base: BaseUrl = "https://usage.example.com/telemetry/".parse()?;
/// assert_eq!(base.as_str(), "https://usage.example.com/telemetry");
///
/// let error = "usage.example.com".parse::<BaseUrl>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the base URL `usage.example.com` has no scheme: write `https://…` or `http://…`",
/// );
/// # Ok::<(), usage_proto::InvalidBaseUrl>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// `scheme://authority` and the path prefix, without a trailing slash.
    text: Cow<'static, str>,
    https: bool,
    /// Where the path prefix starts in `text`; its length if there is none.
    path_at: usize,
    loopback: bool,
    plaintext_token: bool,
}

impl BaseUrl {
    /// The production API, `https://usage.influxdata.com`.
    pub const PRODUCTION: Self = Self::known("https://usage.influxdata.com");

    /// The staging API, `https://usage.staging.influxdata.com`, for development and tests.
    pub const STAGING: Self = Self::known("https://usage.staging.influxdata.com");

    /// An `https` URL of ours without a path prefix.
    const fn known(text: &'static str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            https: true,
            path_at: text.len(),
            loopback: false,
            plaintext_token: false,
        }
    }

    /// Checks `text` and keeps it as a base URL.
    ///
    /// # Errors
    ///
    /// [`InvalidBaseUrl`] says what is wrong with the text. A password in it is never repeated.
    pub fn new(text: &str) -> Result<Self, InvalidBaseUrl> {
        let fault = |reason| InvalidBaseUrl { text: uri_text::displayable(text), reason };
        let (url, https) = check(text).map_err(fault)?;
        let origin = &url[..url::Position::BeforePath];
        let prefix = url.path().trim_end_matches('/');
        // `http::Uri` is what carries the authority later: what it would refuse is refused here.
        origin
            .split_once("://")
            .and_then(|(_, authority)| Authority::from_str(authority).ok())
            .ok_or(fault(Reason::Host))?;
        Ok(Self {
            path_at: origin.len(),
            text: Cow::Owned(format!("{origin}{prefix}")),
            https,
            loopback: url.host().is_some_and(|host| is_loopback(&host)),
            plaintext_token: false,
        })
    }

    /// Lets a token travel over plain `http` to a host that is not loopback.
    ///
    /// Without this, [`Api::with_token`](crate::Api::with_token) refuses such a base URL: anyone on
    /// the way can read the token.
    #[must_use]
    pub fn allow_plaintext_token(mut self) -> Self {
        self.plaintext_token = true;
        self
    }

    /// The URL without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.authority_text();
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.split_once(':').map_or(authority, |(host, _)| host),
        }
    }

    /// The port: the one in the URL, or 443 for `https` and 80 for `http`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority_text()
            .rsplit_once(':')
            // In `[::1]` the last colon is inside the brackets; that text is no number.
            .and_then(|(_, port)| port.parse().ok())
            .unwrap_or(if self.https { 443 } else { 80 })
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether the host is this machine: `localhost`, an address of `127.0.0.0/8`, or `::1`.
    ///
    /// Loopback hosts are never reached through a proxy, and a token may go to them over plain
    /// `http`. Names below `localhost` do not count, since a resolver may send them elsewhere.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(crate) fn carries_token(&self) -> bool {
        self.https || self.loopback || self.plaintext_token
    }

    pub(crate) fn scheme(&self) -> Scheme {
        if self.https { Scheme::HTTPS } else { Scheme::HTTP }
    }

    #[expect(clippy::expect_used, reason = "both constructors hold a text that parses")]
    pub(crate) fn authority(&self) -> Authority {
        // `new` has parsed the same text; a test does it for the two constants.
        match &self.text {
            // Without a copy: most programs have one of these for as long as they run.
            Cow::Borrowed(text) => Authority::from_static(self.authority_of(text)),
            Cow::Owned(text) => {
                Authority::from_str(self.authority_of(text)).expect("checked at construction")
            }
        }
    }

    /// The path prefix, empty or `/…` without a trailing slash.
    pub(crate) fn prefix(&self) -> &str {
        &self.text[self.path_at..]
    }

    fn authority_text(&self) -> &str {
        self.authority_of(&self.text)
    }

    /// The authority in `text`, which is that of this URL.
    fn authority_of<'t>(&self, text: &'t str) -> &'t str {
        let scheme = if self.https { "https://".len() } else { "http://".len() };
        &text[scheme..self.path_at]
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// From a text, as in a configuration file. A password in one that is refused is not repeated.
impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::new(&text).map_err(D::Error::custom)
    }
}

/// As a text. What [`allow_plaintext_token`](BaseUrl::allow_plaintext_token) has allowed is not part of
/// it: that is said in code, each time.
impl Serialize for BaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaseUrl")
            .field("url", &self.as_str())
            .field("plaintext_token", &self.plaintext_token)
            .finish_non_exhaustive()
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.strip_suffix('.').unwrap_or(name) == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
}

/// A text that is not a base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the base URL `{text}` {reason}")]
pub struct InvalidBaseUrl {
    /// The text without user information and control characters, clipped.
    text: String,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("is empty: write `https://…` or `http://…`")]
    Empty,
    #[error("has no scheme: write `https://…` or `http://…`")]
    NoScheme,
    #[error("has another scheme: only `https` and `http` are possible")]
    Scheme,
    #[error("has no host")]
    NoHost,
    #[error("has user information: leave it out and set a token instead")]
    UserInfo,
    #[error("has a query: leave out what starts at `?`")]
    Query,
    #[error("has a fragment: leave out what starts at `#`")]
    Fragment,
    #[error("has a character that RFC 3986 does not allow there (`{}`)", .0.escape_default())]
    Character(char),
    #[error("has a `%` that two hexadecimal digits do not follow")]
    Percent,
    #[error("has a host that is no valid name or address in its plain form")]
    Host,
    #[error("has a port that is not a number up to 65535")]
    Port,
    #[error("has a `.` or `..` segment in its path: write the path that it stands for")]
    DotSegment,
    #[error("is longer than a URL may be")]
    TooLong,
}

/// The URL as parsed, and whether it is `https`.
fn check(text: &str) -> Result<(Url, bool), Reason> {
    if text.is_empty() {
        return Err(Reason::Empty);
    }
    if text.len() > uri_text::MAX_URI {
        return Err(Reason::TooLong);
    }
    let (scheme, rest) = text.split_once("://").ok_or(Reason::NoScheme)?;
    let https = scheme.eq_ignore_ascii_case("https");
    if !https && !scheme.eq_ignore_ascii_case("http") {
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        return Err(if is_scheme { Reason::Scheme } else { Reason::NoScheme });
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(Reason::UserInfo);
    }
    check_path(path)?;
    let host = check_authority(authority)?;
    let url = Url::parse(text).map_err(|_| Reason::Host)?;
    // The parser decodes, and reads `1` or `0x7f.1` as an address: such a host is not what it says.
    let plain = url
        .host_str()
        .is_some_and(|parsed| host.starts_with('[') || parsed.eq_ignore_ascii_case(host));
    if !plain {
        return Err(Reason::Host);
    }
    Ok((url, https))
}

/// Checks `host [":" port]` and returns the host, brackets included.
fn check_authority(authority: &str) -> Result<&str, Reason> {
    let host_ends = if authority.starts_with('[') {
        authority.find(']').ok_or(Reason::Host)? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(host_ends);
    if host.is_empty() {
        return Err(Reason::NoHost);
    }
    if host.starts_with('[') {
        // What stands between the brackets is checked by the parser of addresses.
        let inside = host.bytes().all(|b| b.is_ascii_hexdigit() || b"[]:.".contains(&b));
        if !inside {
            return Err(Reason::Host);
        }
    } else {
        uri_text::check_chars(host, uri_text::is_reg_name)?;
    }
    match port.strip_prefix(':') {
        Some(digits) => {
            let number = digits.bytes().all(|b| b.is_ascii_digit())
                && (digits.is_empty() || digits.parse::<u16>().is_ok());
            if number { Ok(host) } else { Err(Reason::Port) }
        }
        None if port.is_empty() => Ok(host),
        None => Err(Reason::Host),
    }
}

fn check_path(path: &str) -> Result<(), Reason> {
    if let Some(at) = path.find(['?', '#']) {
        let query = path.as_bytes()[at] == b'?';
        return Err(if query { Reason::Query } else { Reason::Fragment });
    }
    uri_text::check_chars(path, uri_text::is_path)?;
    // `%2e` is a dot to some readers on the way: it may not stand for a climb either.
    let dots = path.split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    });
    if dots { Err(Reason::DotSegment) } else { Ok(()) }
}

impl From<uri_text::Fault> for Reason {
    fn from(fault: uri_text::Fault) -> Self {
        match fault {
            uri_text::Fault::Character(c) => Self::Character(c),
            uri_text::Fault::Percent => Self::Percent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_what_new_makes_of_their_text() {
        for known in [BaseUrl::PRODUCTION, BaseUrl::STAGING] {
            assert_eq!(BaseUrl::new(known.as_str()), Ok(known.clone()));
            assert_eq!(known.authority().as_str(), known.host());
        }
    }
}
