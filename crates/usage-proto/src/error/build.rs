use crate::base_url::InvalidBaseUrl;
use crate::token::InvalidToken;

/// A request or a registration URL that could not be built. Nothing was sent, and the same input
/// fails again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL is not one.
    #[error(transparent)]
    BaseUrl(#[from] InvalidBaseUrl),

    /// The token is not one.
    #[error(transparent)]
    Token(#[from] InvalidToken),

    /// The token would travel readable by anyone on the way.
    #[error(
        "the token would go to `{host}` over plain http: use https, or opt in with \
         `BaseUrl::allow_plaintext_token`"
    )]
    #[non_exhaustive]
    PlaintextToken {
        /// The host of the base URL.
        host: String,
    },

    /// The application's part of the `User-Agent` is not a list of products.
    #[error("`{text}` cannot stand in a User-Agent: write `name/version`")]
    #[non_exhaustive]
    UserAgent {
        /// The text, on one line and clipped.
        text: String,
    },

    /// A segment of the path is empty, `.` or `..`.
    #[error(
        "segment {position} of the path (`{segment}`) cannot stand in a URL: \
         a product or segment may not be empty, `.` or `..`"
    )]
    #[non_exhaustive]
    Segment {
        /// Which segment below `/api/v1/`, counted from 1.
        position: usize,
        /// The segment.
        segment: String,
    },

    /// The URI is longer than an HTTP implementation can hold.
    #[error(
        "the URI would have {length} bytes, and {limit} are possible: \
         shorten what goes into it"
    )]
    #[non_exhaustive]
    UriTooLong {
        /// How long it would be, in bytes.
        length: usize,
        /// How long it may be, in bytes.
        limit: usize,
    },

    /// The body is larger than the request limit.
    #[error(
        "the body is larger than the limit of {limit} bytes: report less at once, \
         or raise the limit of the `Api`, where the program makes it itself"
    )]
    #[non_exhaustive]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },

    /// A number of the payload is NaN or infinite, which JSON cannot say.
    #[error(
        "the number at {} is not finite, and JSON has no way to write it: leave it out",
        if path.is_empty() { "the root of the payload".to_owned() } else { format!("`{path}`") }
    )]
    #[non_exhaustive]
    NotFinite {
        /// The path from the root of the body, such as `[0].values.uptime`; a key with dots,
        /// brackets or the like in it stands in quotes, as in `[0].values["a.b"]`.
        path: String,
    },

    /// The payload's own `Serialize` failed.
    #[error("the payload could not be encoded as JSON: {message}")]
    #[non_exhaustive]
    Encode {
        /// What the implementation said.
        message: String,
    },

    /// A field of a registration is empty or white space.
    #[error("`{field}` is blank: a registration needs both `cluster_id` and `product`")]
    #[non_exhaustive]
    Blank {
        /// The field's name.
        field: &'static str,
    },

    /// The redirect URL of a registration is not an absolute `http` or `https` URL.
    #[error("the redirect URL `{text}` is not an absolute http or https URL")]
    #[non_exhaustive]
    RedirectUrl {
        /// The text without user information and query, on one line and clipped.
        text: String,
    },

    /// The redirect URL of a registration has a `state` of its own beside the nonce.
    #[error("the redirect URL has a `state` of its own: leave it out, or set no nonce")]
    RedirectState,
}

impl BuildError {
    /// The part of the input that is to blame, where there is one: a field's name, or the path to
    /// a value in the body.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::BaseUrl(_) => Some("url"),
            Self::Token(_) | Self::PlaintextToken { .. } => Some("token"),
            Self::UserAgent { .. } => Some("user_agent"),
            Self::Segment { .. } | Self::UriTooLong { .. } => Some("path"),
            Self::NotFinite { path } => Some(path),
            Self::Blank { field } => Some(field),
            Self::RedirectUrl { .. } | Self::RedirectState => Some("redirect_url"),
            Self::TooLarge { .. } | Self::Encode { .. } => None,
        }
    }
}
