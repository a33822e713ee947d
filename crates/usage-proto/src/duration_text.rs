//! A duration as people write it: a number of seconds, or a number with a unit.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _, Unexpected};
use serde::ser::Serializer;

use crate::payload::{Number, Value};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Units with their length in nanoseconds, the largest first.
const UNITS: [(&str, u128); 6] = [
    ("h", 3600 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A whole number of the largest unit from seconds down, so that reading it back gives the same.
pub(crate) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let nanos = duration.as_nanos();
    let mut units = UNITS.iter().filter(|(_, length)| *length <= NANOS_PER_SECOND);
    let (unit, length) =
        units.find(|(_, length)| nanos.is_multiple_of(*length)).unwrap_or(&("ns", 1));
    serializer.collect_str(&format_args!("{}{unit}", nanos / length))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    // Only a format that says what stands there can have a number in the place of a text. How
    // `serde_json` hands over a number depends on its features: a value of ours knows.
    let value = if deserializer.is_human_readable() {
        Value::deserialize(deserializer)?
    } else {
        String::deserialize(deserializer)?.into()
    };
    let (duration, found) = match &value {
        Value::String(text) => (parse(text), Unexpected::Str(text)),
        Value::Number(number) => (seconds(*number), Unexpected::Float(number.as_f64())),
        _ => (None, Unexpected::Other("another value")),
    };
    duration.ok_or_else(|| D::Error::invalid_value(found, &EXPECTED))
}

const EXPECTED: &str = "a number of seconds, or a text such as `10s`, `500ms` or `1.5m`";

fn seconds(number: Number) -> Option<Duration> {
    match number.as_u64() {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => Duration::try_from_secs_f64(number.as_f64()).ok(),
    }
}

/// `None` if it is not a duration, or too long for one.
fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number = number.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut nanos = whole.parse::<u128>().ok()?.checked_mul(*length)?;
    // What is below a nanosecond is dropped.
    let mut place = *length;
    for digit in fraction.bytes() {
        nanos = nanos.checked_add(u128::from(digit - b'0') * place / 10)?;
        place /= 10;
    }
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND).ok()?;
    let nanos = u32::try_from(nanos % NANOS_PER_SECOND).ok()?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_durations_or_not() {
        for (text, nanos) in [
            ("10s", 10_000_000_000),
            (" 1 s ", 1_000_000_000),
            ("1.5m", 90_000_000_000),
            ("0.1h", 360_000_000_000),
            ("500ms", 500_000_000),
            ("0.0000001ms", 0),
            ("1.25us", 1_250),
            ("0ns", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
        let longest = format!("{}ns", Duration::MAX.as_nanos());
        assert_eq!(parse(&longest), Some(Duration::MAX));
        let longer = format!("{}ns", Duration::MAX.as_nanos() + 1);
        for text in [
            "",
            "s",
            "10",
            "-1s",
            "+1s",
            "1,5s",
            "1.s",
            ".5s",
            "1e3s",
            "1s 2ms",
            "1.2.3s",
            "1d",
            "1S",
            "1 sec",
            "\u{661}s",
            "340282366920938463463374607431768211456ns",
            "99999999999999999999999h",
            &longer,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
