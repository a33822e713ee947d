//! The state in a file.

#![expect(clippy::disallowed_methods, reason = "the one place that has files")]
#![expect(clippy::disallowed_types, reason = "the one place that has files")]

mod error;
mod replace;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use error::StateFileError;

use self::error::cannot;
use crate::State;

/// Many times what a state takes: whatever is larger is something else.
const LARGEST: u64 = 64 * 1024;

/// The file that keeps a [`State`], for one process at a time.
///
/// - **A crash leaves the old state or the new one.** What is stored goes to a new file beside the
///   old one, down to the disk, and takes its name then.
/// - **One process writes.** An open state file holds a lock on a second file, with `.lock` behind
///   the name. The system frees the lock when its holder dies, however it does. The lock file
///   itself stays.
/// - **What cannot be read is an error**, and never a fresh start: the server would report under a
///   new identity.
///
/// On Unix both files are for their owner alone (mode 0600), since the ids of a customer's server
/// are nobody else's. A symbolic link is followed when the file is opened.
///
/// ```
/// use usage_reporter::{Identity, StateFile};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("influxdb/usage.json");
/// # let random = [7; 16];
/// let file = StateFile::open(&path)?; // makes the directory, too
/// let mut state = file.load()?;
/// let identity = Identity::new(&mut state, "clus1", random);
/// file.store(&state)?;
///
/// assert!(StateFile::open(&path).is_err()); // one at a time
/// drop(file);
/// assert_eq!(StateFile::open(&path)?.load()?.server_id(), Some(&*identity.server_id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct StateFile {
    path: PathBuf,
    /// Held for as long as this lives.
    _lock: File,
}

/// # Construct
impl StateFile {
    /// Takes the lock, and makes the directories on the way that are not there. The file itself
    /// comes with the first [`store`](Self::store).
    ///
    /// # Errors
    ///
    /// [`StateFileError::Locked`] if another process has it open, or this one has already;
    /// [`StateFileError::Io`] if the directory or the lock file cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateFileError> {
        let path = followed(path.as_ref())?;
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(cannot("make the directory", directory))?;
        }
        let lock_path = with_suffix(&path, ".lock");
        // Not truncated: it has no content, and it may be another process's.
        let lock = owners_alone(OpenOptions::new().create(true).write(true).truncate(false))
            .open(&lock_path)
            .map_err(cannot("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StateFileError::Locked { path }),
            Err(TryLockError::Error(error)) => Err(cannot("lock", &lock_path)(error)),
        }
    }
}

/// # Use
impl StateFile {
    /// The state that was stored last, or [`State::new`] if none ever was.
    ///
    /// # Errors
    ///
    /// [`StateFileError::Io`] if the file is there and cannot be read,
    /// [`StateFileError::Corrupt`] if it holds no state.
    pub fn load(&self) -> Result<State, StateFileError> {
        Ok(read(&self.path)?.unwrap_or_default())
    }

    /// Replaces what is stored. When this returns, it is on the disk.
    ///
    /// # Errors
    ///
    /// [`StateFileError::Io`]: what was stored before is still there.
    pub fn store(&self, state: &State) -> Result<(), StateFileError> {
        let mut json = serde_json::to_vec_pretty(state)
            .map_err(|error| cannot("write", &self.path)(error.into()))?;
        json.push(b'\n');
        replace::replace(&self.path, &json)
    }
}

/// # Inspect
impl StateFile {
    /// The file, symbolic links followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the state in a file that another process may have open, to show it. `None` if there is
    /// no such file. Nothing is made, and no lock is taken: a program that reports uses
    /// [`open`](Self::open) and [`load`](Self::load).
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    pub fn peek(path: impl AsRef<Path>) -> Result<Option<State>, StateFileError> {
        read(path.as_ref())
    }
}

fn read(path: &Path) -> Result<Option<State>, StateFileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot("open", path)(error)),
    };
    let mut json = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut json).map_err(cannot("read", path))?;
    let corrupt = |source| StateFileError::Corrupt { path: path.to_owned(), source };
    if json.len() as u64 > LARGEST {
        return Err(corrupt(format!("it is larger than {LARGEST} bytes").into()));
    }
    serde_json::from_slice(&json).map(Some).map_err(|error| corrupt(error.into()))
}

/// The file behind any links, so that all ways to it lead to one lock, and the link stays a link.
fn followed(path: &Path) -> Result<PathBuf, StateFileError> {
    match fs::canonicalize(path) {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::path::absolute(path).map_err(cannot("open", path))
        }
        Err(error) => Err(cannot("open", path)(error)),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// On Unix, a file that this makes can be read by its owner alone.
fn owners_alone(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
