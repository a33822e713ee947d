use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// Which file it is, whatever its name.
///
/// A file that is open keeps its identity, and nobody else is given the same one meanwhile. So a
/// name that leads to another one, or to none, shows that the file was removed or replaced:
///
/// ```
/// use usage_files::{Accept, FileId, open};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("usage.lock");
/// let lock = open(&path, Accept::NOTHING)?;
/// let mine = FileId::of(&lock)?;
/// assert_eq!(FileId::at(&path)?, Some(mine));
/// # #[cfg(unix)] {
/// std::fs::rename(&path, path.with_extension("old"))?;
/// assert_eq!(FileId::at(&path)?, None);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileId {
    /// The identity of an open file.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// The identity of what has this name, a link being itself; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(Self::from(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(unix)]
impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

#[cfg(not(unix))]
impl From<&Metadata> for FileId {
    fn from(_: &Metadata) -> Self {
        Self {}
    }
}
