use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use usage_files::{FileError, Risk};

use usage_proto::Chain;

/// What is wrong with a [`StateFile`](crate::StateFile). The alternate form, `{error:#}`, has the
/// reason behind it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// The system refuses.
    #[error(fmt = io)]
    #[non_exhaustive]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was to be done with it, in words: "open", "write" and the like.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file is there, and holds no state of this version.
    #[error(fmt = corrupt)]
    #[non_exhaustive]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What lies beside the state is not a report that was kept there.
    #[error(fmt = not_a_report)]
    #[non_exhaustive]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The name of the state, of its lock or of what lies beside it is that of a directory, a device
    /// or the like.
    #[error("{} is {what} and not a regular file: keep the state elsewhere", path.display())]
    #[non_exhaustive]
    NotAFile {
        /// What was found.
        path: PathBuf,
        /// What it is, in words: "a directory", "a pipe" and the like.
        what: &'static str,
    },
    /// The state, its lock or what lies beside it may not be this program's own, and that was not
    /// accepted ([`StateFile::open_accepting`](crate::StateFile::open_accepting)).
    #[error(transparent)]
    NotOurs(FileError),
    /// Another process reports with this state, or this one does already.
    #[error(
        "{} is in use: another process reports with it, or this one does already; stop that, or give \
         this one a file of its own",
        path.display()
    )]
    #[non_exhaustive]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The lock file was removed or replaced while this process had it open. What was to be stored is
    /// not: another process may report with the same state by now.
    #[error(
        "{} was removed or replaced while it was locked, so another process may report with the same \
         state: start this one again, and leave the file alone",
        path.display()
    )]
    #[non_exhaustive]
    LockGone {
        /// The lock file.
        path: PathBuf,
    },
}

impl StateFileError {
    /// The file or directory that it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::Corrupt { path, .. }
            | Self::NotAReport { path, .. }
            | Self::NotAFile { path, .. }
            | Self::Locked { path }
            | Self::LockGone { path } => path,
            Self::NotOurs(error) => error.path(),
        }
    }

    /// What would have to be accepted for the file to be taken.
    #[must_use]
    pub fn risk(&self) -> Option<Risk> {
        match self {
            Self::NotOurs(error) => error.risk(),
            _ => None,
        }
    }
}

impl From<FileError> for StateFileError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { path, doing, source, .. } => Self::Io { path, doing, source },
            FileError::NotAFile { path, what, .. } => Self::NotAFile { path, what },
            error => Self::NotOurs(error),
        }
    }
}

fn io(path: &Path, doing: &str, source: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    Chain::message(f, format_args!("cannot {doing} {}", path.display()), source)
}

#[expect(clippy::borrowed_box, reason = "as the derive passes it")]
fn corrupt(
    path: &Path,
    source: &Box<dyn Error + Send + Sync>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let path = path.display();
    let message = format_args!(
        "{path} is not a state of usage reporting: restore it, or remove it to start as a new server"
    );
    Chain::message(f, message, &**source)
}

#[expect(clippy::borrowed_box, reason = "as the derive passes it")]
fn not_a_report(
    path: &Path,
    source: &Box<dyn Error + Send + Sync>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let path = path.display();
    let message = format_args!("{path} is not a usage report that was kept: remove it");
    Chain::message(f, message, &**source)
}

/// For `map_err`: `doing` did not work on `path`.
pub(super) fn cannot(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> StateFileError {
    move |source| StateFileError::Io { path: path.to_owned(), doing, source }
}
