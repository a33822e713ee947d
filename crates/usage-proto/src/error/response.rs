use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::excerpt;

/// An answer that is not a success: its status, and what the body said.
///
/// The shape of the body decides the kind, not the status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseError {
    /// The status of the answer.
    pub status: StatusCode,
    /// How long the API asked to wait, at most 24 hours.
    pub retry_after: Option<Duration>,
    /// What the answer was.
    pub kind: ResponseErrorKind,
}

/// What an answer that is not a success was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseErrorKind {
    /// `{"error":"…"}`.
    Simple(SimpleError),
    /// `{"errors":{"field":["…"]}}`.
    Validation(ValidationErrors),
    /// A redirect, which is never followed: the token would go with it.
    #[non_exhaustive]
    Redirect {
        /// Where it points, without user information, query and fragment.
        location: Option<String>,
    },
    /// The body was larger than the response limit.
    #[non_exhaustive]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A page for people came in place of an API's answer ([`Saved::is_page`]), as from a captive
    /// portal. Its status is a success; the report has gone nowhere.
    ///
    /// [`Saved::is_page`]: crate::Saved::is_page
    Page,
    /// The body had neither shape of an error.
    #[non_exhaustive]
    Unexpected {
        /// The start of the body on one line, without control characters; empty if it was empty.
        excerpt: String,
    },
}

impl ResponseError {
    /// Whether the same request may succeed later.
    ///
    /// It may after 408, 425 and 429, and after every status of the class 5xx, one that nobody knows
    /// included: proxies have many of their own for an API that cannot be reached. It may not after
    /// 501, 505, 506, 510 and 511, which say that the request or the network is wrong, nor after any
    /// other status. It may after a page, which says nothing of the API.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        if self.kind == ResponseErrorKind::Page {
            return true;
        }
        match self.status.as_u16() {
            408 | 425 | 429 => true,
            // Not implemented, HTTP version not supported, variant also negotiates, not extended,
            // network authentication required (W44).
            501 | 505 | 506 | 510 | 511 => false,
            // A class, not a list: RFC 9110, section 15.
            status => (500..=599).contains(&status),
        }
    }

    /// Whether the API does not know the call: 404, 405 or 501. It is how an API answers
    /// [`Forget`](crate::Forget) that cannot forget, such as the original one.
    ///
    /// ```
    /// use usage_proto::{Api, BaseUrl};
    ///
    /// let response = http::Response::builder().status(404).body("404 page not found")?;
    /// let error = Api::new(BaseUrl::STAGING).parse_forgotten(response).unwrap_err();
    /// assert!(error.is_unknown_call());
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn is_unknown_call(&self) -> bool {
        matches!(self.status.as_u16(), 404 | 405 | 501)
    }

    /// What the API has against the report, field by field, if it said so.
    ///
    /// ```
    /// use usage_proto::{Api, BaseUrl};
    ///
    /// # let answer = r#"{"errors":{"cluster_id":["ClusterID can not be blank."]}}"#;
    /// # let response = http::Response::builder().status(422).body(answer)?;
    /// let error = Api::new(BaseUrl::STAGING).parse_response(response).unwrap_err();
    /// let fields = error.as_validation().expect("the fields are named");
    /// assert_eq!(fields.errors["cluster_id"], ["ClusterID can not be blank."]);
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn as_validation(&self) -> Option<&ValidationErrors> {
        if let ResponseErrorKind::Validation(errors) = &self.kind { Some(errors) } else { None }
    }

    /// What the API said in one message, if it said just that.
    #[must_use]
    pub fn as_simple(&self) -> Option<&SimpleError> {
        if let ResponseErrorKind::Simple(error) = &self.kind { Some(error) } else { None }
    }
}

/// Says everything on one line; text of the API's is clipped and cleaned of control characters.
impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Usage API answered {}", self.status.as_u16())?;
        if let Some(reason) = self.status.canonical_reason() {
            write!(f, " {reason}")?;
        }
        match &self.kind {
            ResponseErrorKind::Simple(error) => write_message(f, &error.to_string())?,
            ResponseErrorKind::Validation(errors) => write_message(f, &errors.to_string())?,
            ResponseErrorKind::Redirect { location: Some(location) } => write!(
                f,
                ", a redirect to `{location}` that is not followed: \
                 if that is where the API is now, set its base URL"
            )?,
            ResponseErrorKind::Redirect { location: None } => {
                f.write_str(", a redirect that does not say where to")?;
            }
            ResponseErrorKind::TooLarge { limit } => {
                write!(f, " with a body above the limit of {limit} bytes")?;
            }
            ResponseErrorKind::Page => f.write_str(
                " with a web page, so it is not the API that answered: a captive portal, a login \
                 or a parked address does so",
            )?,
            ResponseErrorKind::Unexpected { excerpt } if excerpt.is_empty() => {
                write_message(f, "")?;
            }
            ResponseErrorKind::Unexpected { excerpt } => {
                write!(f, " with a body that is no error of the API: {excerpt}")?;
            }
        }
        match self.retry_after {
            Some(wait) => write!(f, " (retry after {} s)", wait.as_secs()),
            None => Ok(()),
        }
    }
}

fn write_message(f: &mut fmt::Formatter<'_>, message: &str) -> fmt::Result {
    if message.is_empty() { f.write_str(" without a message") } else { write!(f, ": {message}") }
}

impl std::error::Error for ResponseError {}

/// An error with one message, `{"error":"…"}`; usual on 401, 404 and 500.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SimpleError {
    /// The message, as the API sent it.
    #[serde(rename = "error")]
    pub message: String,
}

impl SimpleError {
    /// An error with this message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for SimpleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&excerpt::line(&self.message))
    }
}

impl std::error::Error for SimpleError {}

/// Errors by field, `{"errors":{"field":["…"]}}`; usual on 422.
///
/// ```
/// use usage_proto::ValidationErrors;
///
/// let mut errors = ValidationErrors::new();
/// errors.push("cluster_id", "ClusterID can not be blank.");
/// assert_eq!(errors.to_string(), "cluster_id: ClusterID can not be blank.");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ValidationErrors {
    /// The messages about each field.
    pub errors: BTreeMap<String, Vec<String>>,
    /// The `error` beside them, if the answer had both.
    #[serde(rename = "error", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl ValidationErrors {
    /// No errors yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a message about a field.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.entry(field.into()).or_default().push(message.into());
    }

    /// Whether there is no message about any field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::with_capacity(self.errors.len() + 1);
        parts.extend(self.message.clone());
        for (field, messages) in &self.errors {
            parts.push(format!("{field}: {}", messages.join(" ")));
        }
        f.write_str(&excerpt::line(&parts.join("; ")))
    }
}

impl std::error::Error for ValidationErrors {}
