//! The state in a file.

#![expect(clippy::disallowed_methods, reason = "the one place that has files")]
#![expect(clippy::disallowed_types, reason = "the one place that has files")]

mod directory;
pub(crate) mod error;
mod lock;
mod log;
mod replace;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use usage_files::{Accept, FileError, Risk};
use usage_proto::TransportError;

use self::directory::Directory;
use self::error::{StateFileError, cannot};
use self::lock::Lock;
use self::replace::Replacement;
use crate::forget_me::{ForgetMe, ForgetOutcome, ForgetStep};
use crate::state::State;
use crate::state::last_sent::LastSent;

/// Many times what a state takes: whatever is larger is something else.
const LARGEST: usize = 64 * 1024;

/// Behind the name of a state, where the last report lies.
const LAST_SENT: &str = ".last";

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
/// - **Files are the program's own.** Whoever may write into the directory decides what a name there
///   leads to. So a link, a pipe, a device, a file of another user and one that others may write is
///   refused, be it the state, its lock or what lies beside it, and nothing is made or opened
///   elsewhere. Who knows better accepts a [`Risk`] by its name
///   ([`open_accepting`](Self::open_accepting)).
///
/// On Unix all files are for their owner alone (mode 0600), since the ids of a customer's server are
/// nobody else's.
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
    accept: Accept,
}

/// # Construct
impl StateFile {
    /// Takes the lock, and makes the directories on the way that are not there. The file itself
    /// comes with the first [`store`](Self::store).
    ///
    /// # Errors
    ///
    /// [`StateFileError::Locked`] if another process has it open, or this one has already;
    /// [`StateFileError::NotAFile`] if something else has the name of the state, of its lock or of
    /// what lies beside it, [`StateFileError::NotOurs`] if one of them may not be this program's own;
    /// [`StateFileError::Io`] if the directory or the lock file cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateFileError> {
        Self::open_accepting(path, [])
    }

    /// The same for a file that may not be this program's own, and is meant to be taken all the same.
    ///
    /// ```
    /// use usage_reporter::{Risk, StateFile};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("usage.json");
    /// // In a container the volume may belong to another user.
    /// let file = StateFile::open_accepting(&path, [Risk::OtherOwner])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The directory behind a link that is accepted has to be there.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_accepting(
        path: impl AsRef<Path>,
        risks: impl IntoIterator<Item = Risk>,
    ) -> Result<Self, StateFileError> {
        let accept = risks.into_iter().collect();
        let named = path.as_ref();
        let path = std::path::absolute(named).map_err(cannot("find", named))?;
        Directory::make(path.parent().unwrap_or(&path))?;
        let path = usage_files::locate(&path, accept)?;
        let last_sent = usage_files::locate(with_suffix(&path, LAST_SENT), accept)?;
        for path in [&path, &last_sent] {
            usage_files::check(path, accept)?;
        }
        let directory = Directory::open(path.parent().unwrap_or(&path))?;
        let lock = Lock::take(&path, accept)?;
        let last_sent = Replacement::new(last_sent, accept);
        Ok(Self { file: Replacement::new(path, accept), last_sent, directory, lock, accept })
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
    /// [`StateFileError::Corrupt`] if it holds no state, [`StateFileError::NotAFile`] and
    /// [`StateFileError::NotOurs`] if something else has taken its place.
    pub fn load(&self) -> Result<State, StateFileError> {
        Ok(read(self.path(), self.accept, corrupt)?.unwrap_or_default())
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

    fn remove_last_sent(&self) -> Result<(), StateFileError> {
        self.lock.check(self.path())?;
        self.last_sent.remove()
    }

    fn write(&self, file: &Replacement, content: &impl Serialize) -> Result<(), StateFileError> {
        self.lock.check(self.file.path())?;
        let mut json = serde_json::to_vec_pretty(content)
            .map_err(|error| cannot("write", file.path())(error.into()))?;
        json.push(b'\n');
        file.write(&json)
    }
}

/// # Be forgotten
impl StateFile {
    /// Asks to be forgotten, step by step: stores each state, and has `send` take each request to the
    /// API. `wall_now` is the wall clock.
    ///
    /// Once the API has erased it all, the last report that was kept beside the state goes as well. It
    /// stays where the API has found nothing: it shows by which ids to ask.
    ///
    /// # Errors
    ///
    /// Those of [`store`](Self::store), and [`StateFileError::Io`] if the last report cannot be removed.
    /// What is in the file by then is tried again.
    pub fn forget(
        &self,
        mut forget_me: ForgetMe,
        mut wall_now: impl FnMut() -> SystemTime,
        mut send: impl FnMut(Request<Bytes>) -> Result<Response<Bytes>, TransportError>,
    ) -> Result<ForgetOutcome, StateFileError> {
        loop {
            match forget_me.step(wall_now()) {
                ForgetStep::Store(state) => {
                    // First: what is stored after that does not know of it any more.
                    if forget_me.has_erased_all() {
                        self.remove_last_sent()?;
                    }
                    self.store(&state)?;
                }
                ForgetStep::Send(request) => match send(request) {
                    Ok(response) => forget_me.on_response(wall_now(), response),
                    Err(error) => forget_me.on_failure(wall_now(), error),
                },
                ForgetStep::Done(outcome) => return Ok(outcome),
            }
        }
    }
}

/// # Inspect
impl StateFile {
    /// The file, the links on the way followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Reads the state in a file that another process may have open, to show it. `None` if there is
    /// no such file, or an empty one. Nothing is made, no lock is taken, and whose file it is does not
    /// matter: a program that reports uses [`open`](Self::open) and [`load`](Self::load).
    ///
    /// # Errors
    ///
    /// [`StateFileError::Io`] if the file is there and cannot be read,
    /// [`StateFileError::Corrupt`] if it holds no state, [`StateFileError::NotAFile`] if something
    /// else has the name.
    pub fn peek(path: impl AsRef<Path>) -> Result<Option<State>, StateFileError> {
        read(path.as_ref(), Accept::ANYTHING, corrupt)
    }

    /// Reads the last usage report beside the state at `path`, as [`peek`](Self::peek) does the state;
    /// `None` if none was kept.
    ///
    /// # Errors
    ///
    /// [`StateFileError::Io`] if the file is there and cannot be read,
    /// [`StateFileError::NotAReport`] if it holds something else.
    pub fn peek_last_sent(path: impl AsRef<Path>) -> Result<Option<LastSent>, StateFileError> {
        let path = match usage_files::locate(path, Accept::ANYTHING) {
            Err(error) if is_missing(&error) => return Ok(None),
            located => located?,
        };
        read(&with_suffix(&path, LAST_SENT), Accept::ANYTHING, not_a_report)
    }
}

fn corrupt(path: PathBuf, source: Box<dyn Error + Send + Sync>) -> StateFileError {
    StateFileError::Corrupt { path, source }
}

fn not_a_report(path: PathBuf, source: Box<dyn Error + Send + Sync>) -> StateFileError {
    StateFileError::NotAReport { path, source }
}

/// `broken` makes an error of what is wrong with the content.
fn read<T: DeserializeOwned>(
    path: &Path,
    accept: Accept,
    broken: fn(PathBuf, Box<dyn Error + Send + Sync>) -> StateFileError,
) -> Result<Option<T>, StateFileError> {
    let json = match usage_files::read_own(path, accept, LARGEST) {
        Ok(Some(json)) => json,
        Ok(None) => return Ok(None),
        Err(error) if is_missing(&error) => return Ok(None),
        Err(FileError::TooLong { path, limit, .. }) => {
            return Err(broken(path, format!("it is larger than {limit} bytes").into()));
        }
        Err(error) => return Err(error.into()),
    };
    if json.trim_ascii().is_empty() {
        // Made for us, as a file that is to be bound into a container has to be.
        return Ok(None);
    }
    if !json.trim_ascii_start().starts_with(b"{") {
        // A list would be read as the values of the fields, in their order.
        return Err(broken(path.to_owned(), "it is not a JSON object".into()));
    }
    serde_json::from_slice(&json).map(Some).map_err(|error| broken(path.to_owned(), error.into()))
}

/// Not even its directory is there.
fn is_missing(error: &FileError) -> bool {
    matches!(error, FileError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
