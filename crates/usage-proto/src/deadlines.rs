//! How long an adapter waits.

use std::time::Duration;

/// The deadlines of one call (rule W41).
///
/// ```
/// use std::time::Duration;
/// use usage_proto::Deadlines;
///
/// let deadlines = Deadlines::new().total(Duration::from_secs(10));
/// assert_eq!(deadlines.connect, Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlines {
    /// From the start of the call to the last byte of the body; 60 seconds unless set.
    pub total: Duration,
    /// From the start of the call to a connection, TLS included where the library counts it so; 30
    /// seconds unless set. It never outlasts `total`.
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
