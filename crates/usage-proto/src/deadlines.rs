//! How long an adapter waits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration_text;

/// The deadlines of one call.
///
/// ```
/// use std::time::Duration;
/// use usage_proto::Deadlines;
///
/// let deadlines = Deadlines::new().total(Duration::from_secs(10));
/// assert_eq!(deadlines.connect, Duration::from_secs(30));
/// ```
///
/// In a configuration file each is a number of seconds, or a number with a unit: `ns`, `us`, `ms`, `s`,
/// `m` or `h`. What is left out is as it is in [`new`](Self::new); another key is an error.
///
/// ```
/// use std::time::Duration;
/// use usage_proto::Deadlines;
///
/// let deadlines: Deadlines = serde_json::from_str(r#"{"total": "1.5m", "connect": 10}"#)?;
/// assert_eq!(deadlines.total, Duration::from_secs(90));
/// assert_eq!(deadlines.connect, Duration::from_secs(10));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Deadlines {
    /// From the start of the call to the last byte of the body; 60 seconds unless set.
    #[serde(with = "duration_text")]
    pub total: Duration,
    /// From the start of the call to a connection, TLS included where the library counts it so; 30
    /// seconds unless set. It never outlasts `total`.
    #[serde(with = "duration_text")]
    pub connect: Duration,
}

impl Deadlines {
    /// 60 seconds in all, 30 of them to connect.
    #[must_use]
    pub const fn new() -> Self {
        Self { total: Duration::from_secs(60), connect: Duration::from_secs(30) }
    }

    /// Sets the total deadline.
    #[must_use]
    pub const fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    /// Sets the connect deadline.
    #[must_use]
    pub const fn connect(mut self, connect: Duration) -> Self {
        self.connect = connect;
        self
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self::new()
    }
}
