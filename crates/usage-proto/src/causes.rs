//! The chain of an error's sources: to be searched, and to be shown.

use std::error::Error;
use std::{fmt, io};

/// `error` and what caused it, outermost first, for an adapter that looks for what it knows.
///
/// An [`io::Error`] hides the error that it was made from, since its source is that error's source.
/// Here it is not left out.
///
/// ```
/// use std::io;
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("no session")]
/// struct NoSession;
///
/// let error = io::Error::other(NoSession);
/// assert!(usage_proto::causes(&error).any(|cause| cause.is::<NoSession>()));
/// ```
pub fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> + use<'e> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

/// Shows an error and its sources on one line, with a colon between: what happened, and why.
///
/// The errors of these crates show the same with `{:#}`. This is for an error of another crate.
///
/// ```
/// use usage_proto::{Chain, TransportError};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = TransportError::connect(refused);
/// assert_eq!(format!("{error}"), "could not connect to the Usage API");
/// assert_eq!(format!("{error:#}"), "could not connect to the Usage API: connection refused");
/// assert_eq!(Chain(&error).to_string(), format!("{error:#}"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Chain<'e>(pub &'e (dyn Error + 'static));

impl Chain<'_> {
    /// For the `Display` of an error of one's own that says `message`, and has `source`: the sources
    /// follow where the alternate form is asked for, as with every error of these crates.
    ///
    /// # Errors
    ///
    /// Those of the formatter.
    pub fn message(
        f: &mut fmt::Formatter<'_>,
        message: fmt::Arguments<'_>,
        source: &(dyn Error + 'static),
    ) -> fmt::Result {
        f.write_fmt(message)?;
        if f.alternate() { write!(f, ": {}", Chain(source)) } else { Ok(()) }
    }
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not with the formatter's own flags: with `#` the error would show its sources itself.
        write!(f, "{}", self.0)?;
        write_sources(f, self.0)
    }
}

/// Shows the sources of `error` if the alternate form is asked for, as every `Display` of ours does
/// at its end.
pub(crate) fn write_if_alternate(
    f: &mut fmt::Formatter<'_>,
    error: &(dyn Error + 'static),
) -> fmt::Result {
    if f.alternate() { write_sources(f, error) } else { Ok(()) }
}

fn write_sources(f: &mut fmt::Formatter<'_>, error: &(dyn Error + 'static)) -> fmt::Result {
    std::iter::successors(error.source(), |&source| source.source())
        .try_for_each(|source| write!(f, ": {source}"))
}
