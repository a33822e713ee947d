//! Times as they are stored: RFC 3339 in UTC with milliseconds, which sorts as it passes, or the number of
//! these milliseconds.

use std::time::{Duration, SystemTime};

/// The end of the year 9999, in milliseconds since 1970.
const LAST: u64 = 253_402_300_799_000;

/// What a time is compared with. Before 1970 nothing was stored, and after 9999 nothing sorts.
pub(super) fn time_text(time: SystemTime) -> String {
    let last = SystemTime::UNIX_EPOCH + Duration::from_millis(LAST);
    let time = time.clamp(SystemTime::UNIX_EPOCH, last);
    humantime::format_rfc3339_millis(time).to_string()
}

/// The same as a number: milliseconds since 1970.
pub(super) fn millis_of(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(LAST).min(LAST);
    i64::try_from(millis).unwrap_or_default()
}

/// The time of such a number.
pub(super) fn time_of_millis(millis: i64) -> SystemTime {
    let millis = u64::try_from(millis).unwrap_or_default().min(LAST);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// The day that a time is on, in UTC: `2026-11-27`.
pub(super) fn day_text(time: SystemTime) -> String {
    let mut text = time_text(time);
    text.truncate("2026-11-27".len());
    text
}

/// The time of a text that is stored; `None` if it is not one.
pub(super) fn time_of(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{day_text, time_of, time_text};

    #[test]
    fn a_time_has_its_place_among_those_that_are_stored() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_millis(seconds);
        assert_eq!(time_text(at(1_764_233_323_007)), "2025-11-27T08:48:43.007Z");
        assert_eq!(day_text(at(1_764_233_323_007)), "2025-11-27");
        assert_eq!(time_of("2025-11-27T08:48:43.007Z"), Some(at(1_764_233_323_007)));
        assert_eq!(time_of("yesterday"), None);
        assert_eq!(time_text(at(0)), "1970-01-01T00:00:00.000Z");
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(time_text(early), "1970-01-01T00:00:00.000Z");
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(time_text(late), "9999-12-31T23:59:59.000Z");
    }
}
