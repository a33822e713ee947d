//! How long an answer asks to wait (RFC 9110, section 10.2.3).

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait that `Retry-After` asks for, at most 24 hours.
///
/// It is a number of seconds, or a date. A date is measured against the same answer's `Date`, so
/// that no clock of this machine matters, and is ignored without one; a date in the past is a wait
/// of zero. Anything else is ignored.
///
/// ```
/// use std::time::Duration;
/// use http::{HeaderMap, HeaderValue};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", HeaderValue::from_static("120"));
/// assert_eq!(usage_proto::retry_after(&headers), Some(Duration::from_secs(120)));
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = seconds(text).or_else(|| seconds_until(text, headers))?;
    Some(wait.min(LONGEST))
}

/// `1*DIGIT`, however many.
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More digits than a `u64` holds are still a number of seconds, and a very long wait.
    digits.then(|| text.parse().map_or(LONGEST, Duration::from_secs))
}

/// From the answer's own `Date` to an HTTP-date.
fn seconds_until(text: &str, headers: &HeaderMap) -> Option<Duration> {
    let until = httpdate::parse_http_date(text).ok()?;
    let date = headers.get(DATE)?.to_str().ok()?;
    let sent = httpdate::parse_http_date(date.trim()).ok()?;
    Some(until.duration_since(sent).unwrap_or_default())
}
