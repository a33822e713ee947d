//! Points in time on the command line: `7d` is so long ago, `2026-11-01` a day, or a time of day.

use std::time::SystemTime;

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
    // A year that is mistyped would erase all that there is.
    if moment > SystemTime::now() {
        return Err("this is still to come: write a time that has passed".to_owned());
    }
    Ok(moment)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::past;

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
