//! `Retry-After`: any value gives a wait of at most 24 hours, or none.

use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use httpdate::{fmt_http_date, parse_http_date};

/// W39.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Holds the wait against W39; values that cannot stand in a header are passed over.
///
/// # Panics
///
/// If it is broken.
pub fn check(retry_after: &[u8], date: Option<&[u8]>) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(retry_after) {
        headers.insert(RETRY_AFTER, value);
    }
    if let Some(Ok(value)) = date.map(HeaderValue::from_bytes) {
        headers.insert(DATE, value);
    }
    check_headers(&headers);
}

/// Holds the wait that an answer asks for against W39.
///
/// # Panics
///
/// If it is broken.
pub fn check_headers(headers: &HeaderMap) {
    let wait = usage_proto::retry_after(headers);
    let Some(text) = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()) else {
        assert_eq!(wait, None, "W39: a wait without a header");
        return;
    };
    assert!(wait.is_none_or(|wait| wait <= LONGEST), "W39: {wait:?} for {text:?}");
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        assert_eq!(wait, Some(seconds(text)), "W39: {text:?} is a number of seconds");
        return;
    }
    let date = headers.get(DATE).and_then(|value| value.to_str().ok());
    let Some((until, sent)) = date.and_then(|date| Some((exact(text)?, exact(date.trim())?)))
    else {
        let possible = text.len() >= 24 && date.is_some();
        assert!(wait.is_none() || possible, "W39: {wait:?} for {text:?}, date {date:?}");
        return;
    };
    let expected = until.duration_since(sent).unwrap_or(Duration::ZERO).min(LONGEST);
    assert_eq!(wait, Some(expected), "W39: from {date:?} to {text:?}");
}

/// Any number of digits: what has more than six without its zeros is longer than a day.
fn seconds(digits: &str) -> Duration {
    let significant = digits.trim_start_matches('0');
    if significant.len() > 6 {
        return LONGEST;
    }
    Duration::from_secs(significant.parse().unwrap_or(0)).min(LONGEST)
}

/// A date in the one form that is written today.
fn exact(text: &str) -> Option<SystemTime> {
    let time = parse_http_date(text).ok()?;
    (fmt_http_date(time) == text).then_some(time)
}

/// Values of `Retry-After`.
#[cfg(feature = "proptest")]
pub fn waits() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;

    prop_oneof![
        2 => any::<u64>().prop_map(|seconds| seconds.to_string()),
        2 => (0_u64..200_000).prop_map(|seconds| seconds.to_string()),
        1 => "[0-9]{1,40}",
        1 => "[-+]?[0-9]{1,4}[.e]?[0-9]{0,2}",
        3 => dates(),
        1 => super::text::texts(),
    ]
}

/// Dates as HTTP writes them, from 1970 to 9999; some are broken.
#[cfg(feature = "proptest")]
pub fn dates() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;

    let date = |seconds| fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let near = 1_700_000_000_u64..1_700_200_000;
    prop_oneof![
        6 => near.prop_map(date),
        2 => (0_u64..253_402_300_800).prop_map(date),
        1 => "(Mon|Xyz), [0-9]{2} (Nov|Foo) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} (GMT|UTC)",
        1 => "[A-Z][a-z]{5,8}, [0-9]{2}-(Nov|Jan)-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
    ]
}
