//! A file is replaced as a whole, or not at all, where its file system lets us.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{StateFileError, cannot};
use super::path::with_suffix;
use super::{log, owners_alone};

/// Writes the file. The caller holds the lock: nobody else uses the name of the new file meanwhile.
#[derive(Debug)]
pub(super) struct Replacement {
    path: PathBuf,
    /// The file cannot be replaced: it is a mount point, as a file that was bound into a container.
    in_place: AtomicBool,
}

impl Replacement {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, in_place: AtomicBool::new(false) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn write(&self, content: &[u8]) -> Result<(), StateFileError> {
        self.write_with(content, |from, to| fs::rename(from, to))
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
                outcome => return outcome.map_err(|refused| refused.of(&self.path)),
            }
        }
        overwrite(&self.path, content).map_err(cannot("write", &self.path))
    }
}

/// Where it went wrong.
enum Refused {
    Write(io::Error),
    Rename(io::Error),
}

impl Refused {
    fn of(self, path: &Path) -> StateFileError {
        match self {
            Self::Write(error) => cannot("write", &new_name(path))(error),
            Self::Rename(error) => cannot("replace", path)(error),
        }
    }
}

fn new_name(path: &Path) -> PathBuf {
    with_suffix(path, ".new")
}

fn replace(
    path: &Path,
    content: &[u8],
    rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), Refused> {
    let new = new_name(path);
    let written = write(&new, content).map_err(Refused::Write);
    let replaced = written.and_then(|()| rename(&new, path).map_err(Refused::Rename));
    if replaced.is_err() {
        // As it was before, as far as that goes. The next attempt removes what is left.
        let _ = fs::remove_file(&new);
    }
    replaced
}

/// What a crash has left is removed, not written into: it might be a link to somewhere else.
fn write(new: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = owners_alone(OpenOptions::new().create_new(true).write(true)).open(new)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Nothing is made, and nothing is cut off before the new content is there: a crash may leave some of
/// the old behind the new, and never an empty file, which would be a new server.
fn overwrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

/// What the system says when the name is a mount point by itself.
fn is_mount_point(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(kind: io::ErrorKind) -> impl FnOnce(&Path, &Path) -> io::Result<()> {
        move |_, _| Err(kind.into())
    }

    #[test]
    fn a_mount_point_is_written_in_place_from_then_on() {
        for kind in [io::ErrorKind::ResourceBusy, io::ErrorKind::CrossesDevices] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("usage.json");
            fs::write(&path, "longer than what comes").unwrap();
            let file = Replacement::new(path.clone());
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
            fs::write(&path, "old").unwrap();
            let file = Replacement::new(path.clone());
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
        let file = Replacement::new(directory.path().join("usage.json"));
        assert!(file.write_with(b"new", refuse(io::ErrorKind::ResourceBusy)).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
