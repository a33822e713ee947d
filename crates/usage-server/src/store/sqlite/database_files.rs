//! The files of a database: found, looked at before `SQLite` opens them, and watched.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use usage_files::{Accept, FileError, FileId};

use crate::store::error::StoreError;

/// What `SQLite` puts beside a database, and reads from there: the journal is rolled back into the
/// database, and the log is a part of it.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Those that are there as long as the database is open.
const OPEN: [&str; 3] = ["", "-wal", "-shm"];

#[derive(Debug)]
pub(super) struct DatabaseFiles {
    path: PathBuf,
    accept: Accept,
    /// Which files are open, once they are.
    open: OnceLock<Vec<(PathBuf, FileId)>>,
}

impl DatabaseFiles {
    /// Where the database is, and that there is nothing that is not this program's own. A file that
    /// is not there is made.
    pub(super) fn find(named: &Path, accept: Accept) -> Result<Self, StoreError> {
        let path = usage_files::locate(named, accept).map_err(|error| not_opened(named, error))?;
        let files = Self { path, accept, open: OnceLock::new() };
        files.make()?;
        files.check_beside()?;
        Ok(files)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes which files `SQLite` has open, and looks at those that it has made.
    pub(super) fn are_open(&self) -> Result<(), StoreError> {
        let mut open = Vec::new();
        for suffix in OPEN {
            let path = self.beside(suffix);
            let id = usage_files::check(&path, self.accept);
            let id = id.map_err(|error| not_opened(&self.path, error))?;
            let id = id.ok_or_else(|| StoreError::Gone { path: path.clone() })?;
            open.push((path, id));
        }
        // Once, while the database is being opened.
        self.open.get_or_init(|| open);
        self.check_beside()
    }

    /// Whether the files that are open still have their names. It costs no more than a few looks at
    /// the directory.
    pub(super) fn are_there(&self) -> Result<(), StoreError> {
        for (path, id) in self.open.get().into_iter().flatten() {
            // Where this cannot be asked, nobody can say that it is there.
            if !matches!(FileId::at(path), Ok(Some(at)) if at == *id) {
                return Err(StoreError::Gone { path: path.clone() });
            }
        }
        Ok(())
    }

    /// `SQLite` gives the files beside a new one the same mode, and would make it readable for
    /// everyone.
    fn make(&self) -> Result<(), StoreError> {
        // To close a file lets go of every lock that the process has on it (POSIX), those of SQLite
        // too. So no file is opened here that a connection of this process may have open already:
        // nobody opens one between the question and the close.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let made = match usage_files::check(&self.path, self.accept) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => usage_files::open(&self.path, self.accept).map(drop),
            Err(error) => Err(error),
        };
        made.map_err(|error| not_opened(&self.path, error))
    }

    fn check_beside(&self) -> Result<(), StoreError> {
        for suffix in BESIDE {
            usage_files::check(self.beside(suffix), self.accept)
                .map_err(|error| not_opened(&self.path, error))?;
        }
        Ok(())
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }
}

/// What the system says is told like any other failure to open the database.
fn not_opened(database: &Path, error: FileError) -> StoreError {
    match error {
        FileError::Io { source, .. } => {
            StoreError::Open { path: database.to_owned(), source: Arc::new(source) }
        }
        error => StoreError::File(Arc::new(error)),
    }
}
