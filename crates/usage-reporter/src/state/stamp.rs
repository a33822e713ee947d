//! Points in time that can be stored.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970, before it if negative: 292 years either way, and the last of them for
/// any time beyond.
///
/// It is as fine as the clock: a stamp that was rounded up would lie in the future for a process
/// that starts at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Stamp(i64);

impl Stamp {
    pub(super) fn new(time: SystemTime) -> Self {
        Self::clamped(since_1970(time))
    }

    pub(super) fn clamped(nanos: i128) -> Self {
        let limit = if nanos < 0 { i64::MIN } else { i64::MAX };
        Self(i64::try_from(nanos).unwrap_or(limit))
    }

    /// The time from `other` to this one; `None` if this one is earlier.
    pub(super) fn after(self, other: Self) -> Option<Duration> {
        // Wide enough for any two stamps.
        let nanos = i128::from(self.0) - i128::from(other.0);
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    }

    pub(super) fn to_system_time(self) -> SystemTime {
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
pub(super) fn since_1970(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => nanos(after),
        Err(before) => -nanos(before.duration()),
    }
}

pub(super) fn nanos(time: Duration) -> i128 {
    // The longest duration has 94 bits of them.
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}
