use std::path::PathBuf;

/// Where a [`Store`](crate::Store) keeps its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database(pub(super) Location);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    File(PathBuf),
    Temporary,
}

impl Database {
    /// A file, created if it is not there. `SQLite` puts two more files beside it while it is open,
    /// whose names end in `-wal` and `-shm`.
    ///
    /// On Unix a file that is created can be read and written by its owner alone (mode 0600), and
    /// so can the two beside it. The mode of a file that is there is left as it is.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Location::File(path.into()))
    }

    /// A file in a directory of its own, deleted when the last [`Store`](crate::Store) over it is
    /// gone. It is a file all the same, so that a test sees what production does.
    #[must_use]
    pub fn temporary() -> Self {
        Self(Location::Temporary)
    }
}
