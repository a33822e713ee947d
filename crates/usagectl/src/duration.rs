//! Times on the command line: `10`, `1.5`, `500ms`, `1m 30s`.

use std::time::Duration;

/// A time; a bare number counts seconds.
pub(crate) fn any(text: &str) -> Result<Duration, String> {
    let time = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    time.ok_or_else(|| "write seconds, such as 10 or 0.5, or a time such as 500ms".to_owned())
}

/// A time that something can be done in.
pub(crate) fn not_zero(text: &str) -> Result<Duration, String> {
    match any(text)? {
        Duration::ZERO => Err("no answer comes in no time".to_owned()),
        time => Ok(time),
    }
}

/// A period of reports. A program that is asked more often than every second does little else.
pub(crate) fn period(text: &str) -> Result<Duration, String> {
    match any(text)? {
        time if time < Duration::from_secs(1) => Err("at least 1s, please".to_owned()),
        time => Ok(time),
    }
}

/// How long a program may take to print its numbers. The schedule waits a minute for them.
pub(crate) fn command(text: &str) -> Result<Duration, String> {
    match any(text)? {
        Duration::ZERO => Err("nothing is printed in no time".to_owned()),
        time if time > Duration::from_secs(60) => Err("at most 60s, please".to_owned()),
        time => Ok(time),
    }
}
