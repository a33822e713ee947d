//! A registration as the API receives it: the other direction of [`Registration`].
//!
//! [`Registration`]: crate::registration::Registration

use http::Uri;
use url::Url;

use crate::registration::{is_absolute, parameters, with_parameter};
use crate::token::Token;
use crate::uri_text;

/// What a customer's browser asks of a Usage API with `GET /start`: the inverse of
/// [`Api::registration_url`](crate::Api::registration_url), for servers.
///
/// ```
/// use usage_proto::{Api, BaseUrl, Registration, RegistrationRequest, Token};
///
/// let registration =
///     Registration::new("clus1", "chronograf").redirect_url("http://127.0.0.1:8888/back?x=1");
/// let url = Api::new(BaseUrl::PRODUCTION).registration_url(&registration)?;
///
/// // At the other end:
/// let request = RegistrationRequest::parse(&url.as_str().parse()?)?;
/// assert_eq!((&*request.cluster_id, &*request.product), ("clus1", "chronograf"));
/// let back = request.redirect_with(&Token::new("token-goes-here")?).expect("it asked for one");
/// assert_eq!(back.as_str(), "http://127.0.0.1:8888/back?x=1&token=token-goes-here");
///
/// // And back again:
/// assert_eq!(registration.parse_redirect(back.as_str())?.expose(), "token-goes-here");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrationRequest {
    /// Identifies the cluster.
    pub cluster_id: String,
    /// The product, such as `chronograf`.
    pub product: String,
    /// Where the browser is to go afterwards: absolute, `http` or `https`, without user information
    /// and fragment. Whether it may go there is the server's to say.
    pub redirect_url: Option<Url>,
}

impl RegistrationRequest {
    /// Reads the query of `uri`. The path is not looked at. Parameters that are not known are passed
    /// over, and an empty `redirect_url` counts as none.
    ///
    /// # Errors
    ///
    /// [`RegistrationRequestError`] says which parameter is at fault.
    pub fn parse(uri: &Uri) -> Result<Self, RegistrationRequestError> {
        let url = uri.to_string();
        let only = |name: &'static str| {
            let mut found = parameters(&url).filter(|(key, _)| key == name);
            match (found.next(), found.next()) {
                (Some((_, value)), None) => Ok(Some(value.into_owned())),
                (None, _) => Ok(None),
                (Some(_), Some(_)) => Err(RegistrationRequestError::Repeated { parameter: name }),
            }
        };
        let filled = |name: &'static str| match only(name)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(RegistrationRequestError::Blank { parameter: name }),
        };
        Ok(Self {
            cluster_id: filled("cluster_id")?,
            product: filled("product")?,
            redirect_url: match only("redirect_url")? {
                Some(text) if !text.is_empty() => Some(redirect_url(&text)?),
                _ => None,
            },
        })
    }

    /// Where the browser goes with `token`: the redirect URL with `token=` at the end of its query,
    /// what was in it kept. `None` without a redirect URL: then the page shows the token.
    #[must_use]
    pub fn redirect_with(&self, token: &Token) -> Option<Url> {
        let mut escaped = String::new();
        uri_text::push_form(token.expose(), &mut escaped);
        let redirect = self.redirect_url.as_ref()?;
        Url::parse(&with_parameter(redirect.as_str(), "token", &escaped)).ok()
    }
}

fn redirect_url(text: &str) -> Result<Url, RegistrationRequestError> {
    let fault = || RegistrationRequestError::RedirectUrl { text: uri_text::displayable(text) };
    // A browser reads `\` as `/` and other readers do not: they would see another host.
    if !is_absolute(text) || text.contains('\\') {
        return Err(fault());
    }
    let url = Url::parse(text).map_err(|_| fault())?;
    // User information makes a URL look like another host's, and a fragment would hide the token.
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    // Two tokens would be none to the application.
    let has_token = url.query_pairs().any(|(name, _)| name == "token");
    if plain && !has_token { Ok(url) } else { Err(fault()) }
}

/// A registration that cannot be begun: a parameter of the URL is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationRequestError {
    /// The parameter is missing, empty or white space.
    #[error("`{parameter}` is missing: open the link as the application has made it")]
    #[non_exhaustive]
    Blank {
        /// Its name.
        parameter: &'static str,
    },
    /// The parameter is there more than once.
    #[error("`{parameter}` is there more than once: open the link as the application has made it")]
    #[non_exhaustive]
    Repeated {
        /// Its name.
        parameter: &'static str,
    },
    /// The redirect URL cannot be gone to.
    #[error(
        "the redirect URL `{text}` cannot be used: it has to be an absolute http or https URL \
         without user information, fragment and `token`"
    )]
    #[non_exhaustive]
    RedirectUrl {
        /// The text without user information and query, on one line and clipped.
        text: String,
    },
}

impl RegistrationRequestError {
    /// The parameter that is at fault.
    #[must_use]
    pub fn parameter(&self) -> &'static str {
        match self {
            Self::Blank { parameter } | Self::Repeated { parameter } => parameter,
            Self::RedirectUrl { .. } => "redirect_url",
        }
    }
}
