//! Where a path leads.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{StateFileError, cannot};

/// As many links as Linux follows.
const LINKS: usize = 40;

/// The file behind any links, so that all ways to it lead to one lock, and a link stays a link, to
/// a file that is not there yet as well.
pub(super) fn followed(path: &Path) -> Result<PathBuf, StateFileError> {
    let mut path = std::path::absolute(path).map_err(cannot("find", path))?;
    for _ in 0..LINKS {
        match fs::canonicalize(&path) {
            Ok(path) => return Ok(path),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(cannot("open", &path)(error));
            }
            Err(_) => {}
        }
        match fs::read_link(&path) {
            // What is relative counts from the directory of the link.
            Ok(target) => path = path.parent().unwrap_or(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(cannot("find", &path)(io::Error::other("there are too many links on the way")))
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
