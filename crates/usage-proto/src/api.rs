//! The protocol itself: requests out, answers in.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::response::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use url::Url;

use crate::base_url::BaseUrl;
use crate::collector::Collector;
use crate::error::{BuildError, ResponseError, TransportError};
use crate::forgotten::Forgotten;
use crate::registration::Registration;
use crate::saveable::Saveable;
use crate::saved::Saved;
use crate::token::Token;
use crate::{answer, encode, excerpt, uri_text};

/// The header that carries the token, raw and with no scheme in front.
pub const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-authorization");

/// What stands between the base URL and a payload's own segments.
const PATH: &str = "/api/v1";

const AGENT: &str = concat!("usage-proto/", env!("CARGO_PKG_VERSION"));

/// A Usage API as seen from a client: it builds requests and judges answers, and does no IO.
///
/// It is cheap to clone, and a value of it never changes.
#[derive(Clone)]
pub struct Api {
    base_url: BaseUrl,
    /// The authority of the base URL, parsed once.
    authority: Authority,
    token: Option<Token>,
    user_agent: HeaderValue,
    request_limit: usize,
    response_limit: usize,
}

/// # Construct
impl Api {
    /// The largest request body unless set otherwise: 1 MiB.
    pub const DEFAULT_REQUEST_LIMIT: usize = 1 << 20;

    /// The largest response body unless set otherwise: 64 KiB.
    pub const DEFAULT_RESPONSE_LIMIT: usize = 64 << 10;

    /// The API at `base_url`, without a token and with the default limits.
    #[must_use]
    pub fn new(base_url: BaseUrl) -> Self {
        Self {
            authority: base_url.authority(),
            base_url,
            token: None,
            user_agent: HeaderValue::from_static(AGENT),
            request_limit: Self::DEFAULT_REQUEST_LIMIT,
            response_limit: Self::DEFAULT_RESPONSE_LIMIT,
        }
    }

    /// Sends `token` along with every report, which ties it to an organisation.
    ///
    /// # Errors
    ///
    /// [`BuildError::PlaintextToken`] if the base URL is plain `http` to a host that is not
    /// loopback, and has not opted in with [`BaseUrl::allow_plaintext_token`].
    pub fn with_token(mut self, token: Token) -> Result<Self, BuildError> {
        if !self.base_url.carries_token() {
            return Err(BuildError::PlaintextToken { host: self.base_url.host().to_owned() });
        }
        self.token = Some(token);
        Ok(self)
    }

    /// Sends no token.
    #[must_use]
    pub fn without_token(mut self) -> Self {
        self.token = None;
        self
    }

    /// Puts the application's own product in front of this crate's in `User-Agent`.
    ///
    /// `product` is one or more of `name` or `name/version` with a space between (RFC 9110,
    /// section 10.1.5), such as `influxdb/1.8.10`.
    ///
    /// # Errors
    ///
    /// [`BuildError::UserAgent`] if it is something else.
    pub fn with_application(mut self, product: &str) -> Result<Self, BuildError> {
        let fault = || BuildError::UserAgent { text: excerpt::line(product) };
        let parts = product.split(' ').flat_map(|product| product.splitn(2, '/'));
        if !parts.into_iter().all(is_token) {
            return Err(fault());
        }
        self.user_agent =
            HeaderValue::from_str(&format!("{product} {AGENT}")).map_err(|_| fault())?;
        Ok(self)
    }

    /// Sets the size of the largest request body, in bytes.
    #[must_use]
    pub fn with_request_limit(mut self, bytes: usize) -> Self {
        self.request_limit = bytes;
        self
    }

    /// Sets the size of the largest response body, in bytes.
    ///
    /// A transport keeps at most one byte more than this, see [`Collector`].
    #[must_use]
    pub fn with_response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }
}

/// # Output
impl Api {
    /// The request that saves `payload`.
    ///
    /// The same payload gives the same bytes. The body is shared: cloning the request's body for a
    /// retry copies nothing. `Host` and `Content-Length` are the transport's to add.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if a path segment cannot stand in a URL or makes it too long, if the body
    /// is above the request limit, or if a number in it is not finite.
    pub fn build_request<P: Saveable + ?Sized>(
        &self,
        payload: &P,
    ) -> Result<Request<Bytes>, BuildError> {
        let uri = self.uri(payload)?;
        let mut request = Request::new(encode::body(payload, self.request_limit)?);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers();
        Ok(request)
    }

    /// The URL at which a customer registers in a browser, `…/start?cluster_id=…`.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if a field is blank, or if the redirect URL is not an absolute `http` or
    /// `https` URL.
    pub fn registration_url(&self, registration: &Registration) -> Result<Url, BuildError> {
        registration.url(&self.base_url)
    }

    /// What each request has.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        if let Some(token) = &self.token {
            headers.insert(TOKEN_HEADER, token.to_header());
        }
        headers
    }

    fn uri<P: Saveable + ?Sized>(&self, payload: &P) -> Result<Uri, BuildError> {
        let prefix = self.base_url.prefix();
        // Measured first, then written once: the text is allocated in its final size.
        let mut length = prefix.len() + PATH.len();
        for (index, segment) in payload.segments().into_iter().enumerate() {
            let segment = segment.as_ref();
            if matches!(segment, "" | "." | "..") {
                return Err(BuildError::Segment {
                    position: index + 1,
                    segment: segment.to_owned(),
                });
            }
            length += 1 + uri_text::escaped(segment).map(str::len).sum::<usize>();
        }
        let whole = self.base_url.as_str().len() - prefix.len() + length;
        let too_long = || BuildError::UriTooLong { length: whole, limit: uri_text::MAX_URI };
        if whole > uri_text::MAX_URI {
            return Err(too_long());
        }

        let mut path = String::with_capacity(length);
        path.push_str(prefix);
        path.push_str(PATH);
        for segment in payload.segments() {
            path.push('/');
            path.extend(uri_text::escaped(segment.as_ref()));
        }
        // Only characters of a path are in it, and its length was checked: these do not fail.
        let path = PathAndQuery::from_maybe_shared(Bytes::from(path)).map_err(|_| too_long())?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.base_url.scheme());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).map_err(|_| too_long())
    }
}

/// # Input
impl Api {
    /// Judges the head of an answer, and collects its body up to the response limit: what every
    /// transport feeds with what it reads.
    ///
    /// # Errors
    ///
    /// A [`TransportError`] of the kind [`Protocol`](crate::TransportErrorKind::Protocol) if the
    /// head is too large or malformed, see [`Collector::new`].
    pub fn receive(&self, head: Parts) -> Result<Collector, TransportError> {
        Collector::new(head, self.response_limit)
    }

    /// Judges an answer: any 2xx is a success, anything else a typed error with its status.
    ///
    /// The body is used as it is, without a copy.
    ///
    /// # Errors
    ///
    /// [`ResponseError`] for any other status.
    pub fn parse_response<B: Into<Bytes>>(
        &self,
        response: Response<B>,
    ) -> Result<Saved, ResponseError> {
        answer::parse(response.map(Into::into), self.response_limit, self.token.as_ref())
    }

    /// Judges the answer to [`Forget`](crate::Forget): any 2xx but a page for people is a success.
    ///
    /// # Errors
    ///
    /// [`ResponseError`] for any other status; its
    /// [`is_unknown_call`](ResponseError::is_unknown_call) says that the API cannot forget.
    pub fn parse_forgotten<B: Into<Bytes>>(
        &self,
        response: Response<B>,
    ) -> Result<Forgotten, ResponseError> {
        self.parse_response(response).and_then(Forgotten::of)
    }
}

/// # Inspect
impl Api {
    /// Where the API is.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// The token, if reports carry one.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// The size of the largest request body, in bytes.
    #[must_use]
    pub fn request_limit(&self) -> usize {
        self.request_limit
    }

    /// The size of the largest response body, in bytes.
    #[must_use]
    pub fn response_limit(&self) -> usize {
        self.response_limit
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("base_url", &self.base_url)
            .field("token", &self.token)
            .field("user_agent", &self.user_agent)
            .field("request_limit", &self.request_limit)
            .field("response_limit", &self.response_limit)
            .finish_non_exhaustive()
    }
}

/// `token` of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(tchar)
}
