use std::fmt;
use std::str::FromStr;

/// Which call a report came in by.
///
/// ```
/// use usage_server::Kind;
///
/// assert_eq!("usage".parse(), Ok(Kind::Usage));
/// assert_eq!(Kind::Server.to_string(), "server");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A server that registered: `POST /api/v1/servers`.
    Server,
    /// Statistics of a product: `POST /api/v1/stats/{product}`.
    Stats,
    /// Usage: `POST /api/v1/usage/{product}`.
    Usage,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Server, Self::Stats, Self::Usage];

    /// Its name, as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Stats => "stats",
            Self::Usage => "usage",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// This is not the name of a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of report: write server, stats or usage")]
pub struct InvalidKind(String);

impl FromStr for Kind {
    type Err = InvalidKind;

    fn from_str(text: &str) -> Result<Self, InvalidKind> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| InvalidKind(text.to_owned()))
    }
}
