//! A file is replaced as a whole, or not at all, where its file system lets us.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use usage_files::Accept;

use super::error::{StateFileError, cannot};
use super::{log, with_suffix};

/// Writes the file. The caller holds the lock: nobody else uses the name of the new file meanwhile.
#[derive(Debug)]
pub(super) struct Replacement {
    path: PathBuf,
    accept: Accept,
    /// The file cannot be replaced: it is a mount point, as a file that was bound into a container.
    in_place: AtomicBool,
}

impl Replacement {
    pub(super) fn new(path: PathBuf, accept: Accept) -> Self {
        Self { path, accept, in_place: AtomicBool::new(false) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn write(&self, content: &[u8]) -> Result<(), StateFileError> {
        self.write_with(content, |from, to| fs::rename(from, to))
    }

    /// Where there is none it stays so. A mount point by itself is emptied.
    pub(super) fn remove(&self) -> Result<(), StateFileError> {
        match fs::remove_file(&self.path) {
            Err(error) if is_mount_point(&error) => overwrite(&self.path, self.accept, b""),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(cannot("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }

    fn write_with(
        &self,
        content: &[u8],
        rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> Result<(), StateFileError> {
        if !self.in_place.load(Ordering::Relaxed) {
            match replace(&self.path, content, rename) {
                Err(Refused::Rename(error)) if is_mount_point(&error) => {
                    self.in_place.store(true, Ordering::Relaxed);
                    log::in_place(&self.path);
                }
                Err(Refused::Rename(error)) => return Err(cannot("replace", &self.path)(error)),
                Err(Refused::Write(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        overwrite(&self.path, self.accept, content)
    }
}

/// Where it went wrong.
enum Refused {
    Write(StateFileError),
    Rename(io::Error),
}

fn replace(
    path: &Path,
    content: &[u8],
    rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), Refused> {
    let new = with_suffix(path, ".new");
    let written = write(&new, content).map_err(Refused::Write);
    let replaced = written.and_then(|()| rename(&new, path).map_err(Refused::Rename));
    if replaced.is_err() {
        // As it was before, as far as that goes. The next attempt removes what is left.
        let _ = fs::remove_file(&new);
    }
    replaced
}

/// What a crash has left is removed, not written into: it might be a link to somewhere else.
fn write(new: &Path, content: &[u8]) -> Result<(), StateFileError> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(cannot("write", new)(error));
        }
        _ => {}
    }
    let mut file = usage_files::create_new(new)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(cannot("write", new))
}

/// Nothing is made, and nothing is cut off before the new content is there: a crash may leave some of
/// the old behind the new, and never an empty file, which would be a new server.
fn overwrite(path: &Path, accept: Accept, content: &[u8]) -> Result<(), StateFileError> {
    let Some(mut file) = usage_files::open_existing(path, accept)? else {
        return Err(cannot("write", path)(io::ErrorKind::NotFound.into()));
    };
    let written = file.write_all(content).and_then(|()| file.set_len(content.len() as u64));
    written.and_then(|()| file.sync_all()).map_err(cannot("write", path))
}

/// What the system says when the name is a mount point by itself.
fn is_mount_point(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the umask of whoever runs this.
    fn write_own(path: &Path, content: &[u8]) {
        usage_files::create_new(path).unwrap().write_all(content).unwrap();
    }

    fn refuse(kind: io::ErrorKind) -> impl FnOnce(&Path, &Path) -> io::Result<()> {
        move |_, _| Err(kind.into())
    }

    #[test]
    fn a_mount_point_is_written_in_place_from_then_on() {
        for kind in [io::ErrorKind::ResourceBusy, io::ErrorKind::CrossesDevices] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("usage.json");
            write_own(&path, b"longer than what comes");
            let file = Replacement::new(path.clone(), Accept::NOTHING);
            file.write_with(b"short", refuse(kind)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"short");
            // Renamed no more: that would cost a file each time.
            file.write_with(b"a little longer", |_, _| panic!("renamed")).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"a little longer");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn any_other_refusal_leaves_what_was_there() {
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::StorageFull] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("usage.json");
            write_own(&path, b"old");
            let file = Replacement::new(path.clone(), Accept::NOTHING);
            let error = file.write_with(b"new", refuse(kind)).unwrap_err();
            assert!(error.to_string().starts_with("cannot replace "), "{error}");
            assert_eq!(fs::read(&path).unwrap(), b"old");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }

    /// A mount point is there: one that is not was removed meanwhile.
    #[test]
    fn nothing_is_made_in_place() {
        let directory = tempfile::tempdir().unwrap();
        let file = Replacement::new(directory.path().join("usage.json"), Accept::NOTHING);
        assert!(file.write_with(b"new", refuse(io::ErrorKind::ResourceBusy)).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    /// What was planted since the mount point was found is not written into.
    #[cfg(unix)]
    #[test]
    fn a_link_is_not_written_into_in_place() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("usage.json"), directory.path().join("other"));
        write_own(&other, b"precious");
        std::os::unix::fs::symlink(&other, &path).unwrap();
        let file = Replacement::new(path, Accept::NOTHING);
        let error = file.write_with(b"new", refuse(io::ErrorKind::ResourceBusy)).unwrap_err();
        assert_eq!(error.risk(), Some(usage_files::Risk::Link), "{error:?}");
        assert_eq!(fs::read(&other).unwrap(), b"precious");
    }
}
