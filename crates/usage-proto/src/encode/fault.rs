//! What goes wrong on the way, and where.

use std::fmt::{self, Write as _};

use super::output::Overflow;

/// An error on its way outwards. What it is about stands in the encoder, since a payload's own
/// `Serialize` may turn an error into another one, or drop it.
#[derive(Debug)]
pub(super) enum Fault {
    /// Told by the output.
    Overflow,
    /// Told by the trail.
    NotFinite,
    /// What the payload's own `Serialize` says, or what JSON has no form for.
    Other(Box<str>),
}

impl From<Overflow> for Fault {
    #[inline]
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow => f.write_str("the body is too large"),
            Self::NotFinite => f.write_str("the number is not finite"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Fault {}

impl serde::ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string().into())
    }
}

/// One step from the root of a payload to what is in it.
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The steps to a float that is not finite, innermost first.
#[derive(Default)]
pub(super) struct Trail(Vec<Step>);

impl Trail {
    pub(super) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// The path from the root, such as `[0].values.uptime`, with quotes around an odd key.
    pub(super) fn into_path(self) -> String {
        let mut path = String::new();
        for step in self.0.iter().rev() {
            // Writing to a `String` cannot fail.
            let _ = match step {
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Key(key) if !is_plain(key) => write!(path, "[{key:?}]"),
                Step::Key(key) if path.is_empty() => write!(path, "{key}"),
                Step::Key(key) => write!(path, ".{key}"),
            };
        }
        path
    }
}

/// Whether a key can stand in a path without quotes: dots and brackets would change its meaning,
/// and a line break would break the message.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-:/ ".contains(c))
}
