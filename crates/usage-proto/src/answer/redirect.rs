use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

use crate::uri_text;

/// `None` if the status is no redirect; otherwise where it points, if it says so (rule W37).
pub(super) fn location(status: StatusCode, headers: &HeaderMap) -> Option<Option<String>> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = headers.get(LOCATION).map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let end = text.find(['?', '#']).unwrap_or(text.len());
        crate::excerpt::line(&uri_text::without_userinfo(&text[..end]))
    });
    Some(location.filter(|text| !text.is_empty()))
}
