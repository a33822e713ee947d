//! An error with its reasons, on one line.

use std::error::Error;
use std::fmt;
use std::iter::successors;

/// Shows an error and, behind colons, the reasons for it, each once.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the alternate form: that one would bring its reasons along.
        write!(f, "{}", self.0)?;
        successors(self.0.source(), |&error| error.source())
            .try_for_each(|reason| write!(f, ": {reason}"))
    }
}

/// For an error that says `message` of itself: the alternate form, `{error:#}`, has the reasons
/// behind it.
#[cfg(any(feature = "blocking", feature = "state_file", feature = "tokio"))]
pub(crate) fn message(
    f: &mut fmt::Formatter<'_>,
    message: fmt::Arguments<'_>,
    source: &(dyn Error + 'static),
) -> fmt::Result {
    f.write_fmt(message)?;
    if f.alternate() { write!(f, ": {}", Chain(source)) } else { Ok(()) }
}
