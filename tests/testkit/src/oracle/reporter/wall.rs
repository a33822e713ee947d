//! The time of day, and what it was written on.

use std::time::{Duration, SystemTime};

use super::case::{FirstState, Start};

/// The wall clock, which passes like any clock and can be set.
pub(super) struct Wall {
    pub(super) time: SystemTime,
}

impl Wall {
    pub(super) fn new() -> Self {
        Self { time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.time += time;
    }

    pub(super) fn jump(&mut self, hours: i64) {
        let distance = Duration::from_secs(hours.unsigned_abs() * 3600);
        if hours < 0 {
            self.time -= distance;
        } else {
            self.time += distance;
        }
    }

    /// What the run before has left on the disk.
    pub(super) fn first_state(&self, start: Start) -> String {
        let key = "000102030405060708090a0b0c0d0e0f";
        let stamp = |ago: Duration, ahead: Duration| {
            let time = self.time + ahead - ago.min(Duration::from_secs(40 * 365 * 86_400));
            time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos()
        };
        let period = start.config().period;
        match start.state {
            FirstState::Nothing => r#"{"version":1}"#.to_owned(),
            FirstState::Drawn { tenths } => {
                let distance = (period / 10).saturating_mul(tenths.unsigned_abs());
                let distance = distance.min(Duration::from_secs(40 * 365 * 86_400));
                let at = if tenths < 0 {
                    stamp(distance, Duration::ZERO)
                } else {
                    stamp(Duration::ZERO, distance)
                };
                format!(r#"{{"version":1,"server_id":"s","next_due_unix_ns":{at}}}"#)
            }
            FirstState::KeyAlone => {
                format!(
                    r#"{{"version":1,"server_id":"s","unacknowledged_key":"{key}","failures":2}}"#
                )
            }
            FirstState::Acknowledged { tenths, with_key } => {
                let at = stamp((period / 10).saturating_mul(tenths), Duration::ZERO);
                let key = if with_key { format!("\"{key}\"") } else { "null".to_owned() };
                format!(
                    r#"{{"version":1,"cluster_id":"c","acknowledged_unix_ns":{at},"unacknowledged_key":{key}}}"#
                )
            }
            FirstState::InTheFuture { hours } => {
                let at = stamp(Duration::ZERO, Duration::from_secs(hours * 3600));
                format!(r#"{{"version":1,"acknowledged_unix_ns":{at}}}"#)
            }
            FirstState::AYearAgo => {
                let at = stamp(Duration::from_secs(365 * 86_400), Duration::ZERO);
                format!(r#"{{"version":1,"acknowledged_unix_ns":{at}}}"#)
            }
        }
    }
}
