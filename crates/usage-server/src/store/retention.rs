use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::kind::Kind;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long reports are kept; for ever unless it says otherwise.
///
/// ```
/// use std::time::Duration;
/// use usage_server::{Kind, Retention};
///
/// let retention: Retention = "usage=400d,stats=30d,servers=forever".parse()?;
/// assert_eq!(retention.of(Kind::Stats), Some(Duration::from_secs(30 * 24 * 60 * 60)));
/// assert_eq!(retention.of(Kind::Server), None);
/// # Ok::<(), usage_server::InvalidRetention>(())
/// ```
///
/// An idempotency key goes with its report, but is kept for 14 days at least: what comes again in
/// that time is known. `keys=30d` keeps every key for 30 days, and no longer, whatever becomes of its
/// report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    servers: Option<Duration>,
    stats: Option<Duration>,
    usage: Option<Duration>,
    keys: Option<Duration>,
}

impl Retention {
    /// The least time that a key is kept.
    pub const KEYS_AT_LEAST: Duration = DAY.saturating_mul(14);

    /// How long reports of a kind are kept; `None` is for ever.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<Duration> {
        match kind {
            Kind::Server => self.servers,
            Kind::Stats => self.stats,
            Kind::Usage => self.usage,
        }
    }

    /// How long a key is kept; `None` is as long as its report, and for
    /// [14 days at least](Self::KEYS_AT_LEAST).
    #[must_use]
    pub fn keys(&self) -> Option<Duration> {
        self.keys
    }

    /// Whether everything is kept for ever.
    #[must_use]
    pub fn is_forever(&self) -> bool {
        *self == Self::default()
    }
}

/// It is not clear how long something is to be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRetention {
    /// It is not a list of names and times.
    #[error("`{0}` does not say how long what is kept: write such as usage=400d,servers=forever")]
    Form(String),
    /// There is no such kind.
    #[error("`{0}` is not kept: there are servers, stats, usage and keys")]
    Name(String),
    /// The time is not one.
    #[error("`{0}` is not a time to keep something: write such as 400d, 12h or forever")]
    Time(String),
    /// It is said twice.
    #[error("`{0}` is said twice")]
    Twice(String),
    /// What comes again would be stored again.
    #[error("keys are kept for 14 days at least: a report may come again for so long")]
    Keys,
}

impl FromStr for Retention {
    type Err = InvalidRetention;

    fn from_str(text: &str) -> Result<Self, InvalidRetention> {
        let mut retention = Self::default();
        let mut said = Vec::new();
        for part in text.split(',') {
            let (name, time) =
                part.split_once('=').ok_or_else(|| InvalidRetention::Form(part.to_owned()))?;
            let (name, time) = (name.trim(), time.trim());
            let kept = match name {
                "servers" => &mut retention.servers,
                "stats" => &mut retention.stats,
                "usage" => &mut retention.usage,
                "keys" => &mut retention.keys,
                _ => return Err(InvalidRetention::Name(name.to_owned())),
            };
            if said.contains(&name) {
                return Err(InvalidRetention::Twice(name.to_owned()));
            }
            said.push(name);
            *kept = match time {
                "forever" => None,
                _ => Some(
                    humantime::parse_duration(time)
                        .ok()
                        .filter(|time| !time.is_zero())
                        .ok_or_else(|| InvalidRetention::Time(time.to_owned()))?,
                ),
            };
        }
        if retention.keys.is_some_and(|keys| keys < Self::KEYS_AT_LEAST) {
            return Err(InvalidRetention::Keys);
        }
        Ok(retention)
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |kept: Option<Duration>| match kept {
            // As it is written: a year of a calendar is not a number of days.
            Some(time) if is_days(time) => format!("{}d", time.as_secs() / DAY.as_secs()),
            Some(time) => humantime::format_duration(time).to_string().replace(' ', ""),
            None => "forever".to_owned(),
        };
        let [servers, stats, usage] = Kind::ALL.map(|kind| text(self.of(kind)));
        write!(f, "servers={servers},stats={stats},usage={usage}")?;
        if self.keys.is_some() { write!(f, ",keys={}", text(self.keys)) } else { Ok(()) }
    }
}

fn is_days(time: Duration) -> bool {
    time.subsec_nanos() == 0 && time.as_secs().is_multiple_of(DAY.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{DAY, InvalidRetention, Kind, Retention};

    #[test]
    fn what_is_not_named_is_kept_for_ever() {
        let retention: Retention = "stats=30d, usage = 1y".parse().unwrap();
        assert_eq!(retention.of(Kind::Stats), Some(30 * DAY));
        assert_eq!(retention.of(Kind::Server), None);
        assert!(!retention.is_forever());
        assert!("servers=forever".parse::<Retention>().unwrap().is_forever());
        let again: Retention = retention.to_string().parse().unwrap();
        assert_eq!(again, retention);
        let text = "servers=forever,stats=1h30m,usage=400d,keys=14d";
        assert_eq!(text.parse::<Retention>().unwrap().to_string(), text);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        use InvalidRetention::{Form, Keys, Name, Time, Twice};
        let owned = str::to_owned;
        for (text, error) in [
            ("", Form(owned(""))),
            ("30d", Form(owned("30d"))),
            ("usage=30d,", Form(owned(""))),
            ("reports=30d", Name(owned("reports"))),
            ("usage=", Time(owned(""))),
            ("usage=0s", Time(owned("0s"))),
            ("usage=30", Time(owned("30"))),
            ("usage=never", Time(owned("never"))),
            ("usage=1d,usage=2d", Twice(owned("usage"))),
            ("keys=13d", Keys),
        ] {
            assert_eq!(text.parse::<Retention>(), Err(error), "{text}");
        }
        assert!("keys=14d".parse::<Retention>().is_ok());
    }
}
