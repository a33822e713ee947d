//! Registration of a customer in a browser, and the redirect that brings the token back.

use std::fmt;

use subtle::ConstantTimeEq;
use url::Url;

use crate::base_url::BaseUrl;
use crate::error::BuildError;
use crate::idempotency::hex_digits;
use crate::token::{InvalidToken, Token};
use crate::uri_text;

/// What a customer registers: a product in a cluster.
///
/// The customer opens the [URL](crate::Api::registration_url) in a browser. With a redirect URL
/// the browser comes back to it afterwards, with the token added to its query; without one the
/// page shows the token.
///
/// ```
/// use usage_proto::{Api, BaseUrl, Registration};
///
/// let registration =
///     Registration::new("clus1", "chronograf").redirect_url("http://127.0.0.1:8888/registered");
/// let url = Api::new(BaseUrl::PRODUCTION).registration_url(&registration)?;
/// assert_eq!(
///     url.as_str(),
///     "https://usage.influxdata.com/start?cluster_id=clus1&product=chronograf\
///      &redirect_url=http%3A%2F%2F127.0.0.1%3A8888%2Fregistered",
/// );
///
/// let token = registration.parse_redirect("/registered?token=token-goes-here")?;
/// assert_eq!(token.expose(), "token-goes-here");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registration {
    /// Identifies the cluster.
    pub cluster_id: String,
    /// The product, such as `chronograf`.
    pub product: String,
    /// Where the browser goes afterwards: an absolute `http` or `https` URL.
    pub redirect_url: Option<String>,
    /// The nonce in hexadecimal digits, and where it stands in the redirect URL.
    state: Option<(Place, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// As `state=…`.
    Query,
    /// As the last segment.
    Path,
}

impl Registration {
    /// A registration without a redirect.
    #[must_use]
    pub fn new(cluster_id: impl Into<String>, product: impl Into<String>) -> Self {
        Self {
            cluster_id: cluster_id.into(),
            product: product.into(),
            redirect_url: None,
            state: None,
        }
    }

    /// Sets where the browser goes afterwards.
    #[must_use]
    pub fn redirect_url(mut self, url: impl Into<String>) -> Self {
        self.redirect_url = Some(url.into());
        self
    }

    /// Puts a nonce of the caller's into the redirect URL, as `state=` and hexadecimal digits, and
    /// expects it back: a redirect that somebody else made up does not have it.
    ///
    /// Use at least 16 random bytes, new for each registration.
    #[must_use]
    pub fn state(mut self, nonce: impl AsRef<[u8]>) -> Self {
        self.state = Some((Place::Query, hex(nonce.as_ref())));
        self
    }

    /// The same with the nonce as the last segment of the redirect URL's path.
    ///
    /// A Usage API only promises to add `token` to the URL that it was given. A path comes back from
    /// every one, and a server on loopback can refuse any other path at once.
    ///
    /// ```
    /// use usage_proto::Registration;
    ///
    /// # let random_bytes = || [0x9f; 16];
    /// let registration = Registration::new("clus1", "chronograf")
    ///     .redirect_url("http://127.0.0.1:8888/callback")
    ///     .state_in_path(random_bytes());
    /// let path = registration.redirect_path().expect("there is a redirect URL");
    /// assert_eq!(path, "/callback/9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f");
    /// let token = registration.parse_redirect(&format!("{path}?token=token-goes-here"))?;
    /// # Ok::<(), usage_proto::RedirectError>(())
    /// ```
    #[must_use]
    pub fn state_in_path(mut self, nonce: impl AsRef<[u8]>) -> Self {
        self.state = Some((Place::Path, hex(nonce.as_ref())));
        self
    }

    /// The path of the redirect URL, with the nonce if it stands there: where a server on loopback
    /// waits for the redirect. `None` without a redirect URL, or if it is not one.
    #[must_use]
    pub fn redirect_path(&self) -> Option<String> {
        let redirect = self.with_state(self.redirect_url.as_deref()?).ok()?;
        Some(Url::parse(&redirect).ok()?.path().to_owned())
    }

    /// Takes the token from the redirect: the whole URL, or the path and query of it that a
    /// server on loopback sees.
    ///
    /// # Errors
    ///
    /// [`RedirectError`] unless there is exactly one `token`, it is a token, and the state is the one
    /// that was sent.
    pub fn parse_redirect(&self, redirect: &str) -> Result<Token, RedirectError> {
        let only = |name: &str| {
            let mut found = parameters(redirect).filter(|(key, _)| key == name);
            match (found.next(), found.next()) {
                (Some((_, value)), None) => Ok(Some(value)),
                (None, _) => Ok(None),
                (Some(_), Some(_)) => Err(()),
            }
        };
        if let Some((place, sent)) = &self.state {
            let came = match place {
                Place::Query => {
                    only("state").map_err(|()| RedirectError::State)?.unwrap_or_default()
                }
                Place::Path => last_segment(redirect).into(),
            };
            // In a time that does not depend on how much of it is right.
            if !bool::from(sent.as_bytes().ct_eq(came.as_bytes())) {
                return Err(RedirectError::State);
            }
        }
        match only("token") {
            Ok(Some(token)) if !token.is_empty() => Ok(Token::new(&token)?),
            Ok(_) => Err(RedirectError::NoToken),
            Err(()) => Err(RedirectError::ManyTokens),
        }
    }

    pub(crate) fn url(&self, base_url: &BaseUrl) -> Result<Url, BuildError> {
        for (field, text) in [("cluster_id", &self.cluster_id), ("product", &self.product)] {
            if text.trim().is_empty() {
                return Err(BuildError::Blank { field });
            }
        }
        let mut url = format!("{}/start?cluster_id=", base_url.as_str());
        uri_text::push_form(&self.cluster_id, &mut url);
        url.push_str("&product=");
        uri_text::push_form(&self.product, &mut url);
        if let Some(redirect) = &self.redirect_url {
            url.push_str("&redirect_url=");
            uri_text::push_form(&self.with_state(redirect)?, &mut url);
        }
        let length = url.len();
        let too_long = || BuildError::UriTooLong { length, limit: uri_text::MAX_URI };
        if length > uri_text::MAX_URI {
            return Err(too_long());
        }
        // A checked base URL with an escaped query behind it parses.
        Url::parse(&url).map_err(|_| too_long())
    }

    /// The redirect URL with the nonce at the end of its query or of its path.
    fn with_state(&self, redirect: &str) -> Result<String, BuildError> {
        if !is_absolute(redirect) || Url::parse(redirect).is_err() {
            return Err(BuildError::RedirectUrl { text: uri_text::displayable(redirect) });
        }
        match &self.state {
            None => Ok(redirect.to_owned()),
            Some((Place::Query, _)) if parameters(redirect).any(|(name, _)| name == "state") => {
                Err(BuildError::RedirectState)
            }
            Some((Place::Query, state)) => Ok(with_parameter(redirect, "state", state)),
            Some((Place::Path, state)) => {
                let (path, rest) =
                    redirect.split_at(redirect.find(['?', '#']).unwrap_or(redirect.len()));
                Ok(format!("{}/{state}{rest}", path.trim_end_matches('/')))
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|&byte| hex_digits(byte)).map(char::from).collect()
}

/// `url` with a parameter at the end of its query, in front of its fragment. `value` is escaped.
pub(crate) fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let (rest, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let separator = match rest.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{rest}{separator}{name}={value}{fragment}")
}

/// The last segment of the path of a URL, or of a path with a query.
fn last_segment(url: &str) -> &str {
    let path = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    path.rsplit_once('/').map_or("", |(_, last)| last)
}

/// The parameters in the query of a URL, or of a path with a query.
pub(crate) fn parameters(url: &str) -> url::form_urlencoded::Parse<'_> {
    let rest = url.split_once('#').map_or(url, |(rest, _)| rest);
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes())
}

/// Whether a text has the scheme, the slashes and a host, and no control character. `Url::parse`
/// would add what is missing and drop what is in the way; a browser may not.
pub(crate) fn is_absolute(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && !rest.starts_with(['/', '\\', '?', '#'])
        && !url.contains(|c: char| c.is_ascii_control())
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("cluster_id", &self.cluster_id)
            .field("product", &self.product)
            .field("redirect_url", &self.redirect_url)
            .field("state", &self.state.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

/// A redirect that does not bring a token that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// There is no `token`, or it is empty.
    #[error("the redirect has no token: the registration was not finished, start it again")]
    NoToken,
    /// There is more than one `token`.
    #[error("the redirect has more than one token: start the registration again")]
    ManyTokens,
    /// The `state` is not the one that was sent.
    #[error("the redirect does not belong to this registration: its state is another one")]
    State,
    /// The token is not one.
    #[error(transparent)]
    Token(#[from] InvalidToken),
}
