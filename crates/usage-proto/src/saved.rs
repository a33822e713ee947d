//! A success.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::error::{ResponseError, ResponseErrorKind};
use crate::retry_after::retry_after;

/// The API has taken the report: the answer had a status of the 2xx class.
///
/// What a success says was never specified, so the answer is handed over as it came, without a
/// copy and unparsed.
///
/// `Debug` shows the length of the body and not the body: what an API says back may hold a secret.
#[derive(Clone)]
pub struct Saved {
    response: Response<Bytes>,
    complete: bool,
}

impl Saved {
    pub(crate) fn new(response: Response<Bytes>, complete: bool) -> Self {
        Self { response, complete }
    }

    /// The status, usually 200 or 201.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The body, at most as long as the response limit.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.response.body()
    }

    /// Whether the whole body is here. It is not if it was above the response limit, or if it broke
    /// off; the report was taken all the same.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether it is a page for people, and so not an API's answer: `text/html` with a body that
    /// begins with `<`. A captive portal answers so, a parked address, or a login in front of the
    /// API. The report has gone nowhere then, although the status says success.
    ///
    /// ```
    /// use usage_proto::{Api, BaseUrl};
    ///
    /// let portal = http::Response::builder()
    ///     .header("content-type", "text/html; charset=utf-8")
    ///     .body("<!DOCTYPE html><title>Welcome to our lounge</title>")?;
    /// let saved = Api::new(BaseUrl::STAGING).parse_response(portal)?;
    /// assert!(saved.is_page());
    /// // For whoever keeps what was not taken, it is a failure that may pass.
    /// assert!(saved.refuse_page().unwrap_err().is_retryable());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_page(&self) -> bool {
        let body = self.body().strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body());
        let is_html = |value: &HeaderValue| {
            let media = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            media.trim_ascii().eq_ignore_ascii_case(b"text/html")
        };
        body.trim_ascii_start().starts_with(b"<")
            && self.headers().get_all(CONTENT_TYPE).iter().any(is_html)
    }

    /// The success itself, unless it is a page ([`is_page`](Self::is_page)).
    ///
    /// # Errors
    ///
    /// [`ResponseErrorKind::Page`], with the status, which may be retried.
    pub fn refuse_page(self) -> Result<Self, ResponseError> {
        if !self.is_page() {
            return Ok(self);
        }
        let retry_after = retry_after(self.headers());
        Err(ResponseError { status: self.status(), retry_after, kind: ResponseErrorKind::Page })
    }

    /// The answer itself.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        self.response
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved")
            .field("status", &self.status())
            .field("body_length", &self.body().len())
            .field("complete", &self.complete)
            .field("page", &self.is_page())
            .finish_non_exhaustive()
    }
}

/// Marks a response whose body broke off: an adapter puts it into the response's extensions and
/// hands over what came.
///
/// ```
/// use usage_proto::{Api, BaseUrl, Incomplete};
///
/// let mut response = http::Response::new(&b"{\"sta"[..]);
/// response.extensions_mut().insert(Incomplete);
///
/// let saved = Api::new(BaseUrl::STAGING).parse_response(response)?;
/// assert!(!saved.is_complete());
/// # Ok::<(), usage_proto::ResponseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incomplete;
