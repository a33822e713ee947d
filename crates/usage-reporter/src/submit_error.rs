//! Why a report was not taken.

use usage_proto::BuildError;

/// A report was not taken. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// It cannot be said to the API.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It would not fit even if nothing else waited.
    #[error(
        "the report has {size} bytes and {limit} may wait in all: report less at once, \
         or raise `pending.bytes` of the configuration"
    )]
    #[non_exhaustive]
    TooLarge {
        /// The size of the report, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The reporter is closed, or the API wants no more reports.
    #[error("the reporter is closed and takes no more reports")]
    Closed,
}
