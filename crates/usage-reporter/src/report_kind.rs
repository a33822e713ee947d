//! What a report says, in a word.

use std::fmt;

/// What a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReportKind {
    /// That the server is there ([`Reporter::register`](crate::Reporter::register)).
    Server,
    /// Statistics ([`Reporter::push_stats`](crate::Reporter::push_stats)).
    Stats,
    /// Usage ([`Reporter::submit`](crate::Reporter::submit)).
    Usage,
}

impl ReportKind {
    /// The kind in one lower-case word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Stats => "stats",
            Self::Usage => "usage",
        }
    }
}

impl fmt::Display for ReportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
