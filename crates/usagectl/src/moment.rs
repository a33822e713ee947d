//! Points in time on the command line: `7d` is so long ago, `2026-11-01` a day, or a time of day.

use std::time::{Duration, SystemTime};

/// The last second of the year 9999: behind it a time has no text.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// A point in time that has passed; a bare day begins at midnight in UTC.
pub(crate) fn past(text: &str) -> Result<SystemTime, String> {
    let midnight = format!("{text}T00:00:00Z");
    let named =
        humantime::parse_rfc3339_weak(text).or_else(|_| humantime::parse_rfc3339(&midnight));
    let ago = || {
        let ago = humantime::parse_duration(text).ok()?;
        SystemTime::now().checked_sub(ago)
    };
    let moment = named.ok().or_else(ago).ok_or_else(|| {
        "write how long ago, such as 7d or 12h, or a time in UTC, such as 2026-11-01 or \
         2026-11-01T08:15:00Z"
            .to_owned()
    })?;
    if moment < SystemTime::UNIX_EPOCH {
        return Err("nothing was stored before 1970: write a later time".to_owned());
    }
    // A year that is mistyped would erase all that there is.
    if moment > SystemTime::now() {
        return Err("this is still to come: write a time that has passed".to_owned());
    }
    Ok(moment)
}

/// A time in UTC, to the second. What is out of all reason, as where a clock is wrong, is the first or
/// the last one that has a text.
pub(crate) fn text(time: SystemTime) -> String {
    let first = SystemTime::UNIX_EPOCH;
    humantime::format_rfc3339_seconds(time.clamp(first, first + LAST)).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::{any, proptest};

    use super::{past, text};
    use crate::duration;

    proptest! {
        /// Whatever is written is a time that can be told, or an error in words.
        #[test]
        fn no_time_panics(
            number in any::<u64>(),
            digits in 0_u32..20,
            unit in "s|m|h|d|w|M|y|days|years| years|ms|ns||e9",
            other in "[-0-9TZ:. dy]{0,24}",
        ) {
            let number = number / 10_u64.pow(digits);
            for written in [format!("{number}{unit}"), format!("1d {number}{unit}"), other] {
                if let Ok(moment) = past(&written) {
                    let now = text(SystemTime::now());
                    assert!(text(moment) <= now && moment >= SystemTime::UNIX_EPOCH, "{written}");
                }
                for parse in [duration::any, duration::not_zero, duration::period, duration::command]
                {
                    let _ = parse(&written);
                }
            }
        }

        #[test]
        fn every_time_has_a_text(seconds in any::<u64>(), is_before in any::<bool>()) {
            let (epoch, away) = (SystemTime::UNIX_EPOCH, Duration::from_secs(seconds));
            let time =
                if is_before { epoch.checked_sub(away) } else { epoch.checked_add(away) };
            assert_eq!(text(time.unwrap_or(epoch)).len(), "2026-11-27T08:00:00Z".len());
        }
    }

    #[test]
    fn what_is_before_1970_is_refused() {
        for early in ["1960-01-01", "1969-12-31T23:59:59Z"] {
            assert!(past(early).is_err(), "{early}");
        }
        for early in ["30000d", "60y", "1000000000000s"] {
            assert!(past(early).unwrap_err().contains("before 1970"), "{early}");
        }
        assert_eq!(past("1970-01-01"), Ok(SystemTime::UNIX_EPOCH));
    }

    #[test]
    fn a_moment_is_named_in_three_ways() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(past("2025-11-01"), Ok(at(1_761_955_200)));
        assert_eq!(past("2025-11-01T00:00:01Z"), Ok(at(1_761_955_201)));
        assert_eq!(past("2025-11-01 00:00:01"), Ok(at(1_761_955_201)));
        let moment = past("2days").unwrap();
        let ago = SystemTime::now().duration_since(moment).unwrap();
        assert!(ago >= Duration::from_secs(172_800) && ago < Duration::from_secs(172_900));
        assert!(past("2999-01-01").unwrap_err().contains("still to come"));
        for wrong in ["", "yesterday", "2026-13-01", "7", "-1d", "99999999999999999y"] {
            assert!(past(wrong).is_err(), "{wrong}");
        }
    }
}
