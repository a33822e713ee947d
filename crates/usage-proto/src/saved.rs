//! A success.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

/// The API has taken the report: the answer had a status of the 2xx class (rule W30).
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

    /// Whether the whole body is here. It is not if it was above the response limit (rule W38), or
    /// if it broke off (rule W46); the report was taken all the same.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
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
            .finish_non_exhaustive()
    }
}

/// Marks a response whose body broke off: an adapter puts it into the response's extensions and
/// hands over what came (rule W46).
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
