//! One process writes.

use std::fs::File;
use std::path::{Path, PathBuf};

use usage_files::{Accept, FileId};

use super::error::{StateFileError, cannot};
use super::with_suffix;

/// The lock file beside the state, open and locked. It has no content, and stays when it is no longer
/// needed: a file that is removed while another process waits for it would be two locks.
#[derive(Debug)]
pub(super) struct Lock {
    // Closed, and with that unlocked, before another thread may have the name.
    file: File,
    path: PathBuf,
    id: FileId,
    _name: held::Name,
}

impl Lock {
    /// Takes the lock of the state at `state`.
    pub(super) fn take(state: &Path, accept: Accept) -> Result<Self, StateFileError> {
        let path = usage_files::locate(with_suffix(state, ".lock"), accept)?;
        let in_use = || StateFileError::Locked { path: state.to_owned() };
        let name = held::Name::take(&path).ok_or_else(in_use)?;
        // Only now: a process that opens and closes it once more has lost its lock.
        let file = usage_files::open(&path, accept)?;
        if !held::lock(&file).map_err(cannot("lock", &path))? {
            return Err(in_use());
        }
        let id = FileId::of(&file).map_err(cannot("look at", &path))?;
        let lock = Self { file, path, id, _name: name };
        lock.check(state)?;
        Ok(lock)
    }

    /// Whether the lock is still one: somebody may have removed the file, and another process has
    /// taken a lock on a new one with its name.
    pub(super) fn check(&self, state: &Path) -> Result<(), StateFileError> {
        let found = FileId::at(&self.path).map_err(cannot("look at", &self.path))?;
        if found != Some(self.id) {
            return Err(StateFileError::LockGone { path: self.path.clone() });
        }
        // On Unix it is lost without that where this process has opened and closed the lock file
        // otherwise, as for a copy of its folder. Then it is taken again, if nobody else was faster.
        if held::is_locked(&self.file).map_err(cannot("lock", &self.path))? {
            Ok(())
        } else {
            Err(StateFileError::Locked { path: state.to_owned() })
        }
    }
}

/// A lock of the process: a child that is forked does not share it, and it ends with the process that
/// took it, whatever its children do. The system does not tell two locks of one process apart, so what
/// is locked is kept here as well.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a lock belongs to a process")]
mod held {
    use std::fs::File;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::fs::{FlockOperation, fcntl_lock};
    use rustix::io::Errno;

    type Held = Vec<(u32, PathBuf)>;

    /// With the process: a child that was forked finds its parent's here, which are not its own.
    static HELD: Mutex<Held> = Mutex::new(Vec::new());

    fn held() -> MutexGuard<'static, Held> {
        // A list of which an entry was pushed or removed is whole.
        HELD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of a lock that this process has, or is about to take.
    #[derive(Debug)]
    pub(super) struct Name {
        process: u32,
        path: PathBuf,
    }

    impl Name {
        /// `None` if this process has it already.
        pub(super) fn take(path: &Path) -> Option<Self> {
            let process = std::process::id();
            let mut held = held();
            held.retain(|(other, _)| *other == process);
            if held.iter().any(|(_, other)| other == path) {
                return None;
            }
            held.push((process, path.to_owned()));
            // From here on, and not before: to drop one lets go of the name.
            Some(Self { process, path: path.to_owned() })
        }
    }

    impl Drop for Name {
        fn drop(&mut self) {
            if self.process == std::process::id() {
                held().retain(|(_, path)| *path != self.path);
            }
        }
    }

    /// Tells whether the lock is this process's. It stays so if it was.
    pub(super) fn lock(file: &File) -> io::Result<bool> {
        match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn is_locked(file: &File) -> io::Result<bool> {
        lock(file)
    }
}

/// A lock of the open file. The system tells two of one process apart.
#[cfg(not(unix))]
mod held {
    use std::fs::{File, TryLockError};
    use std::io;
    use std::path::Path;

    #[derive(Debug)]
    pub(super) struct Name;

    impl Name {
        #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
        pub(super) fn take(_: &Path) -> Option<Self> {
            Some(Self)
        }
    }

    pub(super) fn lock(file: &File) -> io::Result<bool> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// It cannot be lost while the file is open.
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(super) fn is_locked(_: &File) -> io::Result<bool> {
        Ok(true)
    }
}
