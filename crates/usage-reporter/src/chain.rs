//! The alternate form of an error, `{error:#}`: its sources behind it, on the same line.

use std::error::Error;
use std::fmt;

use usage_proto::Chain;

/// For an error that says `message` of itself.
pub(crate) fn message(
    f: &mut fmt::Formatter<'_>,
    message: fmt::Arguments<'_>,
    source: &(dyn Error + 'static),
) -> fmt::Result {
    f.write_fmt(message)?;
    if f.alternate() { write!(f, ": {}", Chain(source)) } else { Ok(()) }
}
