//! Files that are read.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use crate::error::{FileError, cannot};

/// What [`read_secret`] has read. Its `Debug` output does not show it.
pub struct Secret {
    /// The content.
    pub bytes: Vec<u8>,
    /// The mode of the file, if others may read it too, which is worth a warning.
    pub readable_by_others: Option<u32>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .field("readable_by_others", &self.readable_by_others)
            .finish()
    }
}

/// Reads a file to its end. It may be a link, and it may be a pipe.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("report.json");
/// # std::fs::write(&path, "[]")?;
/// use std::time::Duration;
///
/// let json = usage_files::read(&path, 1024 * 1024, Duration::from_secs(30))?;
/// # assert_eq!(json, b"[]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`FileError::TooLong`] if there are more than `limit` bytes, [`FileError::TooSlow`] if the end has
/// not come `within` this time, [`FileError::NotAFile`] for a directory, [`FileError::Io`] if the
/// system refuses.
pub fn read(path: impl AsRef<Path>, limit: usize, within: Duration) -> Result<Vec<u8>, FileError> {
    let path = path.as_ref();
    read_open(&open(path)?, path, limit, within)
}

/// Reads a file that holds a secret, such as a token, as [`read`] does.
///
/// # Errors
///
/// [`FileError::Shared`] if others may write to the file, those of its group included; else those of
/// [`read`].
pub fn read_secret(
    path: impl AsRef<Path>,
    limit: usize,
    within: Duration,
) -> Result<Secret, FileError> {
    let path = path.as_ref();
    let file = open(path)?;
    // Of the file that is open, so of the one that a link leads to.
    let readable_by_others = readers(&file, path)?;
    Ok(Secret { bytes: read_open(&file, path, limit, within)?, readable_by_others })
}

#[cfg(unix)]
fn open(path: &Path) -> Result<File, FileError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    let file = crate::system::without_waiting(&mut options).open(path);
    let file = file.map_err(cannot("open", path))?;
    // To read a directory fails with words of its own on each system.
    if file.metadata().map_err(cannot("open", path))?.is_dir() {
        return Err(FileError::NotAFile { path: path.to_owned(), what: "a directory" });
    }
    Ok(file)
}

#[cfg(unix)]
fn readers(file: &File, path: &Path) -> Result<Option<u32>, FileError> {
    use crate::system::{OTHERS_READ, OTHERS_WRITE, mode};

    let metadata = file.metadata().map_err(cannot("open", path))?;
    let mode = mode(&metadata);
    if !metadata.is_file() {
        return Ok(None);
    }
    if mode & OTHERS_WRITE != 0 {
        return Err(FileError::Shared { path: path.to_owned(), mode });
    }
    Ok((mode & OTHERS_READ != 0).then_some(mode))
}

#[cfg(unix)]
fn read_open(
    file: &File,
    path: &Path,
    limit: usize,
    within: Duration,
) -> Result<Vec<u8>, FileError> {
    use std::io::{self, Read as _};
    use std::time::Instant;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let too_slow = || FileError::TooSlow { path: path.to_owned(), within };
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        // A pipe that nobody has opened to write yet looks like one that is at its end, unless it
        // is asked like this.
        let left = within.checked_sub(begun.elapsed()).ok_or_else(too_slow)?;
        let left = Timespec::try_from(left).ok();
        let mut asked = [PollFd::new(file, PollFlags::IN)];
        match poll(&mut asked, left.as_ref()) {
            Ok(0) => return Err(too_slow()),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(cannot("read", path)(error.into())),
        }
        match (&*file).read(&mut piece) {
            Ok(0) => return Ok(bytes),
            Ok(read) if read > limit - bytes.len() => {
                return Err(FileError::TooLong { path: path.to_owned(), limit });
            }
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                ) => {}
            Err(error) => return Err(cannot("read", path)(error)),
        }
    }
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<File, FileError> {
    File::open(path).map_err(cannot("open", path))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn readers(_: &File, _: &Path) -> Result<Option<u32>, FileError> {
    Ok(None)
}

#[cfg(not(unix))]
fn read_open(file: &File, path: &Path, limit: usize, _: Duration) -> Result<Vec<u8>, FileError> {
    use std::io::Read as _;

    let mut bytes = Vec::new();
    let most = (limit as u64).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(cannot("read", path))?;
    if bytes.len() > limit {
        return Err(FileError::TooLong { path: path.to_owned(), limit });
    }
    Ok(bytes)
}
