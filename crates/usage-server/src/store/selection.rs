use std::time::SystemTime;

use super::kind::Kind;

/// Which reports are meant: all of them, unless it says otherwise.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use usage_server::{Kind, Selection};
///
/// let week = Duration::from_secs(7 * 24 * 60 * 60);
/// let selection = Selection::new()
///     .kind(Kind::Usage)
///     .product("influxdb")
///     .since(SystemTime::now() - week);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Selection {
    pub(super) kind: Option<Kind>,
    pub(super) product: Option<String>,
    pub(super) since: Option<SystemTime>,
    pub(super) after: i64,
}

impl Selection {
    /// All reports.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those that came in by one call.
    pub fn kind(self, kind: Kind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// Those of one product.
    pub fn product(self, product: impl Into<String>) -> Self {
        Self { product: Some(product.into()), ..self }
    }

    /// Those that were stored at this time or later.
    pub fn since(self, time: SystemTime) -> Self {
        Self { since: Some(time), ..self }
    }

    /// Those behind a [position](crate::Stored::position): what was read up to there is not read
    /// again, and nothing else is left out.
    pub fn after(self, position: i64) -> Self {
        Self { after: position, ..self }
    }
}
