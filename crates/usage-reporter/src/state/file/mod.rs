//! The state in a file.

#![expect(clippy::disallowed_methods, reason = "the one place that has files")]
#![expect(clippy::disallowed_types, reason = "the one place that has files")]

mod directory;
pub(crate) mod error;
mod lock;
mod log;
mod path;
mod replace;

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use self::directory::Directory;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::error::{StateFileError, cannot};
use self::lock::Lock;
use self::replace::Replacement;
use crate::state::State;
use crate::state::last_sent::LastSent;

/// Many times what a state takes: whatever is larger is something else.
const LARGEST: u64 = 64 * 1024;

/// The file that keeps a [`State`], for one process at a time.
///
/// - **A crash leaves the old state or the new one.** What is stored goes to a new file beside the
///   old one, down to the disk, and takes its name then.
/// - **One process writes.** An open state file holds a lock on a second file, with `.lock` behind
///   the name. The system frees the lock when its holder dies, however it does; a child that was
///   forked has no part in it. The lock file itself stays: whoever removes it takes the state away
///   from its process, which stores nothing any more. A network file system has to know locks for
///   this.
/// - **A file that is a mount point by itself**, as one that was bound into a container, cannot be
///   replaced. It is written in place, and the log says once what that costs: mount its directory
///   instead. A directory that its file system cannot bring to the disk by itself is passed over.
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
    file: Replacement,
    last_sent: Replacement,
    directory: Directory,
    lock: Lock,
}

/// # Construct
impl StateFile {
    /// Takes the lock, and makes the directories on the way that are not there. The file itself
    /// comes with the first [`store`](Self::store).
    ///
    /// # Errors
    ///
    /// [`StateFileError::Locked`] if another process has it open, or this one has already;
    /// [`StateFileError::NotAFile`] if something else has the name; [`StateFileError::Io`] if the
    /// directory or the lock file cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateFileError> {
        let path = path::followed(path.as_ref())?;
        check(&path)?;
        let directory = Directory::make(path.parent().unwrap_or(&path))?;
        let lock = Lock::take(&path)?;
        let last_sent = Replacement::new(path::with_suffix(&path, ".last"));
        Ok(Self { file: Replacement::new(path), last_sent, directory, lock })
    }
}

/// # Use
impl StateFile {
    /// The state that was stored last, or [`State::new`] if none ever was: an empty file is one that
    /// was made for us.
    ///
    /// # Errors
    ///
    /// [`StateFileError::Io`] if the file is there and cannot be read,
    /// [`StateFileError::Corrupt`] if it holds no state.
    pub fn load(&self) -> Result<State, StateFileError> {
        Ok(Self::peek(self.path())?.unwrap_or_default())
    }

    /// Replaces what is stored. When this returns, it is on the disk.
    ///
    /// # Errors
    ///
    /// [`StateFileError::LockGone`] if the lock file was removed or replaced, and
    /// [`StateFileError::Locked`] if another process has the lock by now: nothing was stored.
    /// [`StateFileError::Io`] otherwise: what was stored before is still there, unless the error is
    /// about the directory. Then the new state has taken its place, and may not be on the disk yet.
    pub fn store(&self, state: &State) -> Result<(), StateFileError> {
        self.write(&self.file, state)?;
        self.directory.sync()
    }

    /// Keeps the last usage report beside the state, in a file with `.last` behind its name, so that
    /// its owner can read what was sent. A crash may lose it, and nothing else.
    ///
    /// # Errors
    ///
    /// Those of [`store`](Self::store).
    pub fn store_last_sent(&self, sent: &LastSent) -> Result<(), StateFileError> {
        self.write(&self.last_sent, sent)
    }

    fn write(&self, file: &Replacement, content: &impl Serialize) -> Result<(), StateFileError> {
        self.lock.check(self.file.path())?;
        let mut json = serde_json::to_vec_pretty(content)
            .map_err(|error| cannot("write", file.path())(error.into()))?;
        json.push(b'\n');
        file.write(&json)
    }
}

/// # Inspect
impl StateFile {
    /// The file, symbolic links followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Reads the state in a file that another process may have open, to show it. `None` if there is
    /// no such file, or an empty one. Nothing is made, and no lock is taken: a program that reports uses
    /// [`open`](Self::open) and [`load`](Self::load).
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    pub fn peek(path: impl AsRef<Path>) -> Result<Option<State>, StateFileError> {
        read(path.as_ref(), |path, source| StateFileError::Corrupt { path, source })
    }

    /// Reads the last usage report beside the state at `path`, as [`peek`](Self::peek) does the state;
    /// `None` if none was kept.
    ///
    /// # Errors
    ///
    /// [`StateFileError::Io`] if the file is there and cannot be read,
    /// [`StateFileError::NotAReport`] if it holds something else.
    pub fn peek_last_sent(path: impl AsRef<Path>) -> Result<Option<LastSent>, StateFileError> {
        let path = path::followed(path.as_ref())?;
        read(&path::with_suffix(&path, ".last"), |path, source| StateFileError::NotAReport {
            path,
            source,
        })
    }
}

/// What is wrong with a file, in words.
type Corrupt = fn(PathBuf, Box<dyn Error + Send + Sync>) -> StateFileError;

fn read<T: DeserializeOwned>(path: &Path, corrupt: Corrupt) -> Result<Option<T>, StateFileError> {
    if !check(path)? {
        return Ok(None);
    }
    let file = match File::open(path) {
        Ok(file) => file,
        // Gone in between.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot("open", path)(error)),
    };
    let mut json = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut json).map_err(cannot("read", path))?;
    let corrupt = |source| corrupt(path.to_owned(), source);
    if json.len() as u64 > LARGEST {
        return Err(corrupt(format!("it is larger than {LARGEST} bytes").into()));
    }
    if json.trim_ascii().is_empty() {
        // Made for us, as a file that is to be bound into a container has to be.
        return Ok(None);
    }
    serde_json::from_slice(&json).map(Some).map_err(|error| corrupt(error.into()))
}

/// Whether there is such a file. To open a pipe would wait for its other end, and a device is none
/// of ours to replace.
fn check(path: &Path) -> Result<bool, StateFileError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(true),
        Ok(_) => Err(StateFileError::NotAFile { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(cannot("open", path)(error)),
    }
}

/// On Unix, a file that this makes can be read by its owner alone.
fn owners_alone(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
