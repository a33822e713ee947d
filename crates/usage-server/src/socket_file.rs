//! A socket that has a name in the file system.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Removed when this is dropped, unless another one has its name by then.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// Listens there. A socket that nobody listens on any more is in the way after a crash: it is
    /// removed first.
    pub(crate) fn bind(path: &Path) -> io::Result<(UnixListener, Self)> {
        // The working directory may be another one when it is removed.
        let path = std::path::absolute(path)?;
        let listener = match UnixListener::bind(&path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(&path) => {
                fs::remove_file(&path)?;
                UnixListener::bind(&path)?
            }
            bound => bound?,
        };
        let metadata = fs::symlink_metadata(&path)?;
        let (device, inode) = (metadata.dev(), metadata.ino());
        Ok((listener, Self { path, device, inode }))
    }
}

/// A socket, and nobody takes a connection.
fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    is_socket
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_own = fs::symlink_metadata(&self.path)
            .is_ok_and(|file| (file.dev(), file.ino()) == (self.device, self.inode));
        if is_own {
            // Where it cannot be removed, the next server that listens there removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}
