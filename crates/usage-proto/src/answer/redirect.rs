use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use url::Url;

use crate::{excerpt, uri_text};

/// Whether a status is one of the redirects that other clients follow (rule W37).
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect points, if it says so: without user information, query and fragment, any of
/// which may hold a secret.
pub(super) fn location(headers: &HeaderMap, redacted: impl Fn(String) -> String) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(LOCATION)?.as_bytes());
    let shown = shown(&redacted(text.into_owned()));
    (!shown.is_empty()).then_some(shown)
}

fn shown(location: &str) -> String {
    if let Ok(mut url) = Url::parse(location)
        && url.has_host()
    {
        url.set_query(None);
        url.set_fragment(None);
        // A URL with a host has a place for both, so neither fails; if one did, what is left would
        // be shown as any other text is.
        if url.set_username("").is_ok() && url.set_password(None).is_ok() {
            return excerpt::line(url.as_str());
        }
    }
    // A path has no user information; what a browser makes of one more slash, or of a tab that it
    // drops between the two, is no path.
    match location.strip_prefix('/') {
        Some(path) if !path.starts_with(['/', '\\', '\t']) => excerpt::line(path_of(location)),
        _ => uri_text::displayable(location),
    }
}

fn path_of(location: &str) -> &str {
    &location[..location.find(['?', '#']).unwrap_or(location.len())]
}
