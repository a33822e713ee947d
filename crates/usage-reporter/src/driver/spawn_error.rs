use std::fmt;
use std::io;

use crate::consent::Consent;
use usage_proto::Chain;

/// A driver did not start. Nothing runs, and nothing was sent. The alternate form, `{error:#}`, has
/// the reason behind it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// Reporting is off. A host finds out before it opens any file
    /// ([`Consent::is_on`](crate::Consent::is_on)), and does not come this far.
    #[error("{consent}")]
    #[non_exhaustive]
    Off {
        /// What was decided, and by which rule.
        consent: Consent,
    },
    /// The system gave no thread.
    #[error(fmt = thread)]
    Thread(#[source] io::Error),
    /// There is no tokio runtime here, or one without a timer.
    #[error(
        "usage reporting needs a tokio runtime with its timer: start the reporting within one that was \
         built with `enable_time` or `enable_all`"
    )]
    Runtime,
}

fn thread(source: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    Chain::message(f, format_args!("the thread of usage reporting could not be started"), source)
}
