use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, io};

use crate::accept::Risk;

/// Why a file was not opened, or not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refuses.
    #[error(fmt = refused)]
    #[non_exhaustive]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was to be done with it, in words: "open", "read" and the like.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Something else has the name.
    #[error("{} is {what} and not a regular file: name another one", path.display())]
    #[non_exhaustive]
    NotAFile {
        /// What was named.
        path: PathBuf,
        /// What it is, in words: "a directory", "a pipe" and the like.
        what: &'static str,
    },
    /// The file may not be this program's own, and that was not accepted.
    #[error("{} {found}, or accept it as `{risk}`", path.display())]
    #[non_exhaustive]
    Risk {
        /// The file.
        path: PathBuf,
        /// What it would have to be accepted for.
        risk: Risk,
        /// What was found, and what to do about it, in words that follow the path.
        found: String,
    },
    /// A file with a secret can be written by others.
    #[error(
        "others may write to {} (mode {mode:04o}), and what it says may be theirs: take the right \
         away from them (chmod go-w), and see to it that the content is right",
        path.display()
    )]
    #[non_exhaustive]
    Shared {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// There is more to read than is taken.
    #[error("{} is longer than {limit} bytes", path.display())]
    #[non_exhaustive]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// What was to be read did not come to its end in time: nobody writes to a pipe, perhaps.
    #[error("{} has not come to its end within {within:?}", path.display())]
    #[non_exhaustive]
    TooSlow {
        /// The file.
        path: PathBuf,
        /// The limit.
        within: Duration,
    },
}

impl FileError {
    /// The file or directory that it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::NotAFile { path, .. }
            | Self::Risk { path, .. }
            | Self::Shared { path, .. }
            | Self::TooLong { path, .. }
            | Self::TooSlow { path, .. } => path,
        }
    }

    /// What would have to be accepted for the file to be opened.
    #[must_use]
    pub fn risk(&self) -> Option<Risk> {
        match self {
            Self::Risk { risk, .. } => Some(*risk),
            _ => None,
        }
    }
}

/// For `map_err`: `doing` did not work on `path`.
pub(crate) fn cannot(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> FileError {
    move |source| FileError::Io { path: path.to_owned(), doing, source }
}

/// With `{:#}` the reason stands behind it, on the same line.
fn refused(
    path: &Path,
    doing: &&'static str,
    source: &io::Error,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "cannot {doing} {}", path.display())?;
    if f.alternate() { write!(f, ": {source}") } else { Ok(()) }
}
