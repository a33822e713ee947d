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
