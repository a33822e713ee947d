use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

use crate::{excerpt, uri_text};

/// Whether a status is one of the redirects that other clients follow (rule W37).
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect points, if it says so: without user information, query and fragment, any of
/// which may hold a secret.
pub(super) fn location(headers: &HeaderMap, redacted: impl Fn(String) -> String) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(LOCATION)?.as_bytes());
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let shown = excerpt::line(&redacted(uri_text::without_userinfo(&text[..end])));
    (!shown.is_empty()).then_some(shown)
}
