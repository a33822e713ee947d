//! Who may register, and where a browser may be sent with a token.

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest, Sha256};
use url::{Host, Url};

/// Who may register at `GET /start`.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// Nobody: tokens are made by the operator.
    #[default]
    Closed,
    /// Whoever has one of the operator's invite codes.
    Invite(InviteCodes),
    /// Anybody who reaches the page.
    Open,
}

impl Registration {
    /// With an invite code, one of these. White space around a code does not matter, and an empty
    /// one is passed over.
    #[must_use]
    pub fn invite(codes: impl IntoIterator<Item: AsRef<str>>) -> Self {
        let codes = codes.into_iter();
        let hashes = codes.filter_map(|code| {
            let code = code.as_ref().trim();
            (!code.is_empty()).then(|| hash(code))
        });
        Self::Invite(InviteCodes(hashes.collect()))
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("Closed"),
            Self::Invite(codes) => write!(f, "Invite({} codes)", codes.0.len()),
            Self::Open => f.write_str("Open"),
        }
    }
}

/// Codes that let somebody register, kept as their hashes: what is looked up tells nothing of a
/// code by the time it takes.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteCodes(BTreeSet<[u8; 32]>);

impl InviteCodes {
    pub(super) fn know(&self, code: &str) -> bool {
        self.0.contains(&hash(code.trim()))
    }
}

/// Shows how many there are.
impl fmt::Debug for InviteCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InviteCodes({})", self.0.len())
    }
}

fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}

/// Where a browser may be sent back to with a token: this machine by a literal address, such as
/// `127.0.0.1` or `[::1]`, on any port, and what the operator has allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirects {
    allowed: BTreeSet<String>,
}

impl Redirects {
    /// This machine alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows an origin as well, such as `https://console.example.com`.
    ///
    /// # Errors
    ///
    /// [`InvalidOrigin`] if it is not one: a scheme, a host and perhaps a port, and nothing behind.
    pub fn allow(mut self, text: &str) -> Result<Self, InvalidOrigin> {
        let fault = || InvalidOrigin { text: text.chars().take(100).collect() };
        let url = Url::parse(text).map_err(|_| fault())?;
        let plain = matches!(url.scheme(), "http" | "https") && url.has_host();
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !plain || !bare || text.contains('@') {
            return Err(fault());
        }
        self.allowed.insert(origin(&url));
        Ok(self)
    }

    /// How a browser gets to `url`, if it may.
    pub(super) fn way(&self, url: &Url) -> Option<Way> {
        if !is_loopback(url) && !self.allowed.contains(&origin(url)) {
            return None;
        }
        Some(match url.host()? {
            Host::Domain(_) => Way::Redirect { origin: origin(url) },
            Host::Ipv4(address) if address.octets() == [127, 0, 0, 1] => {
                Way::Redirect { origin: origin(url) }
            }
            Host::Ipv4(_) | Host::Ipv6(_) => Way::Link,
        })
    }
}

/// How a browser gets back to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// By itself.
    Redirect { origin: String },
    /// By a link that the customer follows, since no policy can name where it goes.
    Link,
}

/// Whether it is this machine, by an address. The name `localhost` is what a resolver makes of it, and
/// another program may listen at the other address that it stands for (RFC 8252, section 8.3).
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// What to do about a place that is not known.
pub(super) fn way_out(url: &Url) -> &'static str {
    if url.host_str() == Some("localhost") {
        "The application can name 127.0.0.1 in its place, which is this computer without doubt."
    } else {
        "Whoever runs this server can allow it."
    }
}

/// Scheme, host and port, as a policy and a person write them.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A text that is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an origin: write `https://host` or `http://host:port`, and nothing behind"
)]
pub struct InvalidOrigin {
    text: String,
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Redirects, Registration, Way};

    fn way(redirects: &Redirects, url: &str) -> Option<Way> {
        redirects.way(&Url::parse(url).unwrap())
    }

    #[test]
    fn this_machine_is_allowed_on_any_port_and_nothing_else() {
        let redirects = Redirects::new();
        for (url, origin) in [
            ("http://127.0.0.1:1/x", "http://127.0.0.1:1"),
            ("https://127.0.0.1/", "https://127.0.0.1"),
            ("http://127.0.0.1:8888/x?y", "http://127.0.0.1:8888"),
        ] {
            let origin = origin.to_owned();
            assert_eq!(way(&redirects, url), Some(Way::Redirect { origin }), "{url}");
        }
        for url in ["http://[::1]:8888/", "http://127.0.0.2:1/"] {
            assert_eq!(way(&redirects, url), Some(Way::Link), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost:8888/",
            "http://localhost.example.com/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::2]/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
        ] {
            assert_eq!(way(&redirects, url), None, "{url}");
        }
    }

    #[test]
    fn an_origin_is_allowed_as_a_whole() {
        let redirects = Redirects::new().allow("https://console.example.com").unwrap();
        let redirects = redirects.allow("http://localhost:8888").unwrap();
        let origin = "http://localhost:8888".to_owned();
        assert_eq!(way(&redirects, "http://localhost:8888/x"), Some(Way::Redirect { origin }));
        assert_eq!(way(&redirects, "http://localhost:8889/x"), None);
        assert!(way(&redirects, "https://console.example.com/back?x=1").is_some());
        assert!(way(&redirects, "https://console.example.com:443/").is_some());
        for url in [
            "http://console.example.com/",
            "https://console.example.com:8443/",
            "https://example.com/",
            "https://console.example.com.evil.test/",
        ] {
            assert_eq!(way(&redirects, url), None, "{url}");
        }
        for text in
            ["", "console.example.com", "https://h/x", "https://h?x", "ftp://h", "https://u@h"]
        {
            assert!(Redirects::new().allow(text).is_err(), "{text}");
        }
    }

    #[test]
    fn codes_are_known_whole_and_never_shown() {
        let registration = Registration::invite(["summer-2026", "  ", "other\n"]);
        let shown = format!("{registration:?}");
        assert!(!shown.contains("summer") && shown.contains('2'), "{shown}");
        let Registration::Invite(codes) = registration else { panic!("{shown}") };
        for (code, known) in
            [("summer-2026", true), (" other ", true), ("summer", false), ("", false)]
        {
            assert_eq!(codes.know(code), known, "{code}");
        }
    }
}
