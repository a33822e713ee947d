//! Files that are written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::accept::{Accept, Risk};
use crate::error::{FileError, cannot};
use crate::file_id::FileId;
use crate::system;

/// As many links as Linux follows, and as many times as something may come or go between two looks.
const TRIES: usize = 40;

/// Opens a file to read and write it, and makes it if it is not there, for its owner alone. What is
/// in it stays.
///
/// The call does not wait: a pipe is refused before it is opened.
///
/// # Errors
///
/// [`FileError::NotAFile`] and [`FileError::Risk`] if it is not this program's own, as
/// [the crate](crate) says; [`FileError::Io`] if the system refuses.
pub fn open(path: impl AsRef<Path>, accept: Accept) -> Result<File, FileError> {
    open_with(path.as_ref(), accept, OpenOptions::new().read(true).write(true))
}

/// Opens a file as [`open`] does, to write behind what is in it, whoever else does the same.
///
/// # Errors
///
/// Those of [`open`].
pub fn append(path: impl AsRef<Path>, accept: Accept) -> Result<File, FileError> {
    open_with(path.as_ref(), accept, OpenOptions::new().append(true))
}

fn open_with(path: &Path, accept: Accept, options: &OpenOptions) -> Result<File, FileError> {
    let path = located(path, accept)?;
    for _ in 0..TRIES {
        if let Some(file) = open_there(&path, accept, options)? {
            return Ok(file);
        }
        match create_with(&path, options) {
            Ok(file) => {
                // A file system may not know owners or modes: better told now than the next time.
                let metadata = file.metadata().map_err(cannot("open", &path))?;
                return match judge(&path, &metadata, accept) {
                    Ok(_) => Ok(file),
                    Err(error) => {
                        let _ = fs::remove_file(&path);
                        Err(error)
                    }
                };
            }
            Err(FileError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(cannot("open", &path)(io::Error::other("it comes and goes")))
}

/// Opens a file to read and write it, as [`open`] does; `None` if it is not there.
///
/// # Errors
///
/// Those of [`open`].
pub fn open_existing(path: impl AsRef<Path>, accept: Accept) -> Result<Option<File>, FileError> {
    open_there(&located(path.as_ref(), accept)?, accept, OpenOptions::new().read(true).write(true))
}

/// Reads what this program has written; `None` if there is no such file. Who could put it there
/// decides what it says, so it is looked at as strictly as by [`open`].
///
/// ```
/// use std::io::Write;
/// use usage_files::{Accept, create_new, read_own};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("usage.json");
/// assert_eq!(read_own(&path, Accept::NOTHING, 1024)?, None);
/// create_new(&path)?.write_all(b"{}")?;
/// assert_eq!(read_own(&path, Accept::NOTHING, 1024)?, Some(b"{}".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of [`open`], and [`FileError::TooLong`] if there are more than `limit` bytes.
pub fn read_own(
    path: impl AsRef<Path>,
    accept: Accept,
    limit: usize,
) -> Result<Option<Vec<u8>>, FileError> {
    let path = located(path.as_ref(), accept)?;
    let Some(file) = open_there(&path, accept, OpenOptions::new().read(true))? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let most = (limit as u64).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(cannot("read", &path))?;
    if bytes.len() > limit {
        return Err(FileError::TooLong { path, limit });
    }
    Ok(Some(bytes))
}

/// Makes a file that is not there, to write it, for its owner alone.
///
/// # Errors
///
/// [`FileError::Io`]; with [`io::ErrorKind::AlreadyExists`] if anything has the name, be it a link
/// that leads nowhere.
pub fn create_new(path: impl AsRef<Path>) -> Result<File, FileError> {
    create_with(path.as_ref(), OpenOptions::new().read(true).write(true))
}

fn create_with(path: &Path, options: &OpenOptions) -> Result<File, FileError> {
    let mut options = options.clone();
    options.create_new(true);
    system::owners_alone(&mut options).open(path).map_err(cannot("make", path))
}

/// Whether a file is this program's own, for a library to open it; `None` if it is not there.
///
/// It is not opened, so that no lock on it is lost. (To close a file frees all locks that the
/// process has on it.)
///
/// # Errors
///
/// Those of [`open`].
pub fn check(path: impl AsRef<Path>, accept: Accept) -> Result<Option<FileId>, FileError> {
    look(&located(path.as_ref(), accept)?, accept)
}

/// Where a name leads, as a path that means the same whatever the working directory is. What is on
/// the way to the file may be links. The file itself need not be there.
///
/// # Errors
///
/// [`FileError::Risk`] if the name is a link, and that is not accepted; [`FileError::Io`] if a
/// directory on the way is not there.
pub fn locate(path: impl AsRef<Path>, accept: Accept) -> Result<PathBuf, FileError> {
    located(path.as_ref(), accept)
}

fn located(named: &Path, accept: Accept) -> Result<PathBuf, FileError> {
    let mut path = std::path::absolute(named).map_err(cannot("find", named))?;
    for _ in 0..TRIES {
        if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            path = system::without_links(parent).map_err(cannot("find", &path))?.join(name);
        }
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(cannot("find", &path)(error)),
        };
        if !metadata.is_symlink() {
            return Ok(path);
        }
        if !accept.takes(Risk::Link) {
            return Err(is_a_link(&path));
        }
        let target = fs::read_link(&path).map_err(cannot("find", &path))?;
        // What is relative counts from the directory of the link.
        path = path.parent().unwrap_or(&path).join(target);
    }
    Err(cannot("find", named)(io::Error::other("there are too many links on the way")))
}

/// Opens what has this very name; `None` if it is not there.
fn open_there(
    path: &Path,
    accept: Accept,
    options: &OpenOptions,
) -> Result<Option<File>, FileError> {
    // To open a device may do something by itself, and a pipe may wake up who waits for it.
    if look(path, accept)?.is_none() {
        return Ok(None);
    }
    match system::without_surprises(&mut options.clone()).open(path) {
        Ok(file) => {
            // It may have got another file's name since the look.
            judge(path, &file.metadata().map_err(cannot("open", path))?, accept)?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // So has a link.
        Err(error) if system::is_link(&error) => Err(is_a_link(path)),
        Err(error) => Err(cannot("open", path)(error)),
    }
}

/// Looks at what has this very name, without opening it.
fn look(path: &Path, accept: Accept) -> Result<Option<FileId>, FileError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => judge(path, &metadata, accept).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("open", path)(error)),
    }
}

fn judge(path: &Path, metadata: &Metadata, accept: Accept) -> Result<FileId, FileError> {
    if metadata.is_symlink() {
        // Accepted ones were followed before.
        return Err(is_a_link(path));
    }
    if !metadata.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned(), what: system::what(metadata) });
    }
    for (risk, found) in system::risks(metadata) {
        if !accept.takes(risk) {
            return Err(FileError::Risk { path: path.to_owned(), risk, found });
        }
    }
    Ok(FileId::from(metadata))
}

fn is_a_link(path: &Path) -> FileError {
    let found = "is a link to another file: name that one".to_owned();
    FileError::Risk { path: path.to_owned(), risk: Risk::Link, found }
}
