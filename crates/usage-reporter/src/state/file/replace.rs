//! A file is replaced as a whole, or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::error::{StateFileError, cannot};
use super::owners_alone;
use super::path::with_suffix;

/// The caller holds the lock: nobody else uses the name of the new file meanwhile.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), StateFileError> {
    let new = with_suffix(path, ".new");
    let written = write(&new, content).map_err(cannot("write", &new));
    let replaced = written.and_then(|()| fs::rename(&new, path).map_err(cannot("replace", path)));
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
