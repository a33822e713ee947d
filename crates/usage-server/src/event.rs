use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use usage_proto::Chain;

use crate::store::error::StoreError;
use crate::variety::OTHER;

/// What happens to a server between requests. Its `Display` is a line for a log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ServerEvent {
    /// The database was removed or replaced ([`StoreError::Gone`]), or does not answer
    /// ([`StoreError::Unreachable`]). Reports are refused from now on. This is told once, within half a
    /// minute or with the next report.
    DatabaseGone(StoreError),
    /// The database is there again, and reports are taken again.
    #[non_exhaustive]
    DatabaseBack {
        /// The database file, or its address without a password.
        path: PathBuf,
    },
    /// A product brings more variety than [`Limits`](crate::Limits) allow. This is told once a day for
    /// each.
    #[non_exhaustive]
    TooVaried {
        /// The product, or the first 64 characters of its name.
        product: String,
    },
    /// Reports become too old faster than they are deleted. This is told once each time.
    PruningBehind,
    /// What is too old could not be deleted. This is told once, until it works again.
    NotPruned(StoreError),
    /// The reports could not be counted, or what was refused could not be stored, although the database is
    /// there. This is told once, until it works again.
    NotCounted(StoreError),
}

impl fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatabaseGone(error) => write!(f, "no report is taken: {}", Chain(error)),
            Self::DatabaseBack { path } => {
                write!(f, "reports are taken again: {} is back", path.display())
            }
            Self::TooVaried { product } => write!(
                f,
                "the product {product:?} brings more different keys or texts than it may in a day: \
                 further ones are stored as {OTHER:?}"
            ),
            Self::PruningBehind => f.write_str(
                "pruning is behind: reports become too old faster than they are deleted",
            ),
            Self::NotPruned(error) => {
                write!(f, "reports that are too old are still there: {}", Chain(error))
            }
            Self::NotCounted(error) => write!(
                f,
                "the metrics do not tell how many reports there are, and refusals wait to be stored: \
                 {}",
                Chain(error)
            ),
        }
    }
}

/// Who is told.
#[derive(Clone, Default)]
pub(crate) struct Events(pub(crate) Option<Arc<EventFn>>);

pub(crate) type EventFn = dyn Fn(&ServerEvent) + Send + Sync;

impl Events {
    pub(crate) fn tell(&self, event: &ServerEvent) {
        if let Some(tell) = &self.0 {
            tell(event);
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.0.is_some()).finish()
    }
}
