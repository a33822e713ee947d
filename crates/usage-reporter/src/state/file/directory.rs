//! The directory of the file: a new name is on the disk when its directory is.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

use super::error::{StateFileError, cannot};

/// Open from the start: a directory that cannot be synchronised is told before it matters. Only Unix
/// opens directories.
#[derive(Debug)]
pub(super) struct Directory {
    #[cfg(unix)]
    path: PathBuf,
    #[cfg(unix)]
    file: fs::File,
}

impl Directory {
    /// Makes it, with those on the way, down to the disk.
    pub(super) fn make(path: &Path) -> Result<Self, StateFileError> {
        let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
        fs::create_dir_all(path).map_err(cannot("make the directory", path))?;
        for made in missing {
            if let Some(parent) = made.parent() {
                Self::open(parent)?.sync()?;
            }
        }
        Self::open(path)
    }

    fn open(path: &Path) -> Result<Self, StateFileError> {
        Ok(Self {
            #[cfg(unix)]
            path: path.to_owned(),
            #[cfg(unix)]
            file: fs::File::open(path).map_err(cannot("open the directory", path))?,
        })
    }

    pub(super) fn sync(&self) -> Result<(), StateFileError> {
        #[cfg(unix)]
        self.file.sync_all().map_err(cannot("write the directory", &self.path))?;
        Ok(())
    }
}
