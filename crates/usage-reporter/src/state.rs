//! What outlives the process.

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use usage_proto::IdempotencyKey;

use crate::config::Config;

/// What a reporter has to remember over a restart: the identity of the server, when usage was last
/// acknowledged, and the key of a report whose answer was never seen.
///
/// Keep it where it survives the process and where only one process writes, and write it so that a
/// crash leaves the old one or the new one. It serializes with serde, in any format; the format of
/// the fields has a version, and a state of another version is an error, never a guess.
///
/// ```
/// use usage_reporter::State;
///
/// let stored = serde_json::to_string(&State::new())?;
/// assert_eq!(stored, r#"{"version":1}"#);
/// let state: State = serde_json::from_str(&stored)?;
/// assert_eq!(state.acknowledged(), None);
/// assert!(serde_json::from_str::<State>(r#"{"version":2}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct State {
    pub(crate) server_id: Option<String>,
    pub(crate) cluster_id: Option<String>,
    pub(crate) acknowledged: Option<Stamp>,
    pub(crate) unacknowledged_key: Option<IdempotencyKey>,
    pub(crate) failures: u64,
    pub(crate) next_due: Option<Stamp>,
    /// An identity was minted and is not stored yet.
    pub(crate) unsaved: bool,
}

/// # Construct
impl State {
    /// The state of a host that has never reported.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// # Inspect
impl State {
    /// The id of this server, once there is one ([`Identity`](crate::Identity)).
    #[must_use]
    pub fn server_id(&self) -> Option<&str> {
        self.server_id.as_deref()
    }

    /// The id of this server's cluster, where it was minted here
    /// ([`Identity::single_node`](crate::Identity::single_node)).
    #[must_use]
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    /// When the API last acknowledged a usage report, as the wall clock had it.
    #[must_use]
    pub fn acknowledged(&self) -> Option<SystemTime> {
        self.acknowledged.map(Stamp::to_system_time)
    }

    /// The key of the usage report that was being delivered when this was stored: it may have been
    /// sent, and its answer was not seen. A report that was given up leaves none behind.
    ///
    /// The next start sends its first report under this key, so that an API that has the report
    /// already does not count twice. It does so only while that is the same report: usage has to be
    /// due at the start, and [`next_due`](Self::next_due) must not have passed by the wall clock.
    /// Later numbers are those of another period, and would be dropped under a key that is known.
    #[must_use]
    pub fn unacknowledged_key(&self) -> Option<IdempotencyKey> {
        self.unacknowledged_key
    }

    /// How many usage reports in a row were given up after a failed attempt.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// When the next usage report was due at the time that this was stored. No schedule depends on
    /// it; it tells people, and for how long [`unacknowledged_key`](Self::unacknowledged_key) is
    /// worth something.
    #[must_use]
    pub fn next_due(&self) -> Option<SystemTime> {
        self.next_due.map(Stamp::to_system_time)
    }

    /// Whether it holds an identity that was minted since it was loaded.
    ///
    /// Store it before anything else then: a host that could not, and reported all the same, would
    /// be another server at each start.
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// The key under which the first report of a start goes out, and for how long it is right.
    pub(crate) fn key_to_take_over(
        &self,
        config: &Config,
        wall_now: SystemTime,
    ) -> Option<(IdempotencyKey, Duration)> {
        let key = self.unacknowledged_key?;
        if matches!(self.last_report(wall_now), LastReport::Ago(elapsed) if elapsed < config.period)
        {
            return None;
        }
        // No slot is longer, however far the clock was set back.
        let longest = config.period.saturating_add(config.jitter);
        let left = match self.next_due {
            None => longest,
            Some(due) => due.after(Stamp::new(wall_now))?.min(longest),
        };
        (!left.is_zero()).then_some((key, left))
    }

    pub(crate) fn last_report(&self, wall_now: SystemTime) -> LastReport {
        match self.acknowledged {
            None => LastReport::Never,
            Some(stamp) => {
                Stamp::new(wall_now).after(stamp).map_or(LastReport::InTheFuture, LastReport::Ago)
            }
        }
    }
}

/// The last acknowledgement, as a start sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastReport {
    Never,
    Ago(Duration),
    /// The clock was set back since, or was wrong then: the stamp says nothing.
    InTheFuture,
}

/// A state that is to be stored, but for the time of day: what is in it is known in time past since
/// the acknowledgement.
///
/// The clock is read when the state is written, and not when the acknowledgement came. A machine
/// that starts without the right time, reports, and then learns it, has the right stamp in the next
/// state that it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the state is lost unless it is stamped and stored"]
pub struct Snapshot {
    state: State,
    /// Since the acknowledgement, where this run has seen it.
    acknowledged: Option<Duration>,
    /// Until the next usage report is due.
    due: Duration,
}

impl Snapshot {
    pub(crate) fn new(
        state: State,
        acknowledged: Option<Instant>,
        due: Instant,
        now: Instant,
    ) -> Self {
        Self {
            state,
            acknowledged: acknowledged.map(|then| now.saturating_duration_since(then)),
            due: due.saturating_duration_since(now),
        }
    }

    /// The state to store, stamped with the wall clock.
    #[must_use]
    pub fn stamped(self, wall_now: SystemTime) -> State {
        let now = since_1970(wall_now);
        State {
            acknowledged: self
                .acknowledged
                .map_or(self.state.acknowledged, |ago| Some(Stamp::clamped(now - nanos(ago)))),
            next_due: Some(Stamp::clamped(now + nanos(self.due))),
            ..self.state
        }
    }
}

/// Nanoseconds since 1970, before it if negative: 292 years either way, and the last of them for
/// any time beyond.
///
/// It is as fine as the clock: a stamp that was rounded up would lie in the future for a process
/// that starts at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp(i64);

impl Stamp {
    fn new(time: SystemTime) -> Self {
        Self::clamped(since_1970(time))
    }

    fn clamped(nanos: i128) -> Self {
        let limit = if nanos < 0 { i64::MIN } else { i64::MAX };
        Self(i64::try_from(nanos).unwrap_or(limit))
    }

    /// The time from `other` to this one; `None` if this one is earlier.
    fn after(self, other: Self) -> Option<Duration> {
        // Wide enough for any two stamps.
        let nanos = i128::from(self.0) - i128::from(other.0);
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    }

    fn to_system_time(self) -> SystemTime {
        let distance = Duration::from_nanos(self.0.unsigned_abs());
        let time = if self.0 < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// Nanoseconds, before 1970 if negative; there is room for any time.
fn since_1970(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => nanos(after),
        Err(before) => -nanos(before.duration()),
    }
}

fn nanos(time: Duration) -> i128 {
    // The longest duration has 94 bits of them.
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}

const VERSION: u32 = 1;

/// The state as it is written.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged_unix_ns: Option<Stamp>,
    /// 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unacknowledged_key: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    failures: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_due_unix_ns: Option<Stamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<State> for Stored {
    fn from(state: State) -> Self {
        Self {
            version: VERSION,
            server_id: state.server_id,
            cluster_id: state.cluster_id,
            acknowledged_unix_ns: state.acknowledged,
            unacknowledged_key: state.unacknowledged_key.map(|key| key.to_string()),
            failures: state.failures,
            next_due_unix_ns: state.next_due,
        }
    }
}

impl TryFrom<Stored> for State {
    type Error = InvalidState;

    fn try_from(stored: Stored) -> Result<Self, InvalidState> {
        if stored.version != VERSION {
            return Err(InvalidState::Version { found: stored.version });
        }
        for (field, id) in [("server_id", &stored.server_id), ("cluster_id", &stored.cluster_id)] {
            if id.as_ref().is_some_and(|id| id.trim().is_empty()) {
                return Err(InvalidState::Blank { field });
            }
        }
        Ok(Self {
            server_id: stored.server_id,
            cluster_id: stored.cluster_id,
            acknowledged: stored.acknowledged_unix_ns,
            unacknowledged_key: stored.unacknowledged_key.as_deref().map(key).transpose()?,
            failures: stored.failures,
            next_due: stored.next_due_unix_ns,
            unsaved: false,
        })
    }
}

fn key(text: &str) -> Result<IdempotencyKey, InvalidState> {
    // `from_str_radix` alone would take a sign.
    let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
    let number = number.ok_or(InvalidState::Key)?;
    Ok(IdempotencyKey::from_bytes(number.to_be_bytes()))
}

/// What was read is no state. It is not replaced by an empty one: the server would get a new
/// identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidState {
    #[error(
        "the state has version {found}, and this program knows version {VERSION}: it was written \
         by another release"
    )]
    Version { found: u32 },
    #[error("`{field}` is blank: mend the state, or remove it to start as a new server")]
    Blank { field: &'static str },
    #[error("`unacknowledged_key` is not 32 hexadecimal digits: remove it from the state")]
    Key,
}
