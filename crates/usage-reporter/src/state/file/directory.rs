//! The directory of the file: a new name is on the disk when its directory is.

use std::fs;
use std::path::{Path, PathBuf};

use self::handle::Handle;
use super::error::{StateFileError, cannot};

/// Open from the start: a directory that cannot be synchronised is told before it matters.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    handle: Handle,
}

impl Directory {
    /// Makes it if it is not there, with those on the way, down to the disk.
    pub(super) fn make(path: &Path) -> Result<(), StateFileError> {
        let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
        fs::create_dir_all(path).map_err(cannot("make the directory", path))?;
        for made in missing {
            if let Some(parent) = made.parent() {
                Self::open(parent)?.sync()?;
            }
        }
        Ok(())
    }

    pub(super) fn open(path: &Path) -> Result<Self, StateFileError> {
        let handle = Handle::open(path).map_err(cannot("open the directory", path))?;
        Ok(Self { path: path.to_owned(), handle })
    }

    pub(super) fn sync(&self) -> Result<(), StateFileError> {
        self.handle.sync().map_err(cannot("write the directory", &self.path))
    }
}

#[cfg(unix)]
#[expect(clippy::disallowed_types, reason = "the one place that has files")]
mod handle {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use rustix::io::Errno;

    /// Not every file system opens and synchronises directories: what it does not offer is passed
    /// over.
    #[derive(Debug)]
    pub(super) struct Handle(pub(super) Option<File>);

    impl Handle {
        pub(super) fn open(path: &Path) -> io::Result<Self> {
            offered(File::open(path)).map(Self)
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            self.0.as_ref().map_or(Ok(()), |file| offered(file.sync_all()).map(drop))
        }
    }

    /// `None` where the file system does not do that with directories: CIFS, shared folders of
    /// virtual machines and many others have no word for it. What a disk that fails or is full says,
    /// is an error.
    pub(super) fn offered<T>(result: io::Result<T>) -> io::Result<Option<T>> {
        match result {
            Ok(done) => Ok(Some(done)),
            Err(error) => match Errno::from_io_error(&error) {
                Some(errno)
                    if [
                        Errno::INVAL,
                        Errno::NOTSUP,
                        Errno::OPNOTSUPP,
                        Errno::NOSYS,
                        Errno::BADF,
                    ]
                    .contains(&errno) =>
                {
                    Ok(None)
                }
                _ => Err(error),
            },
        }
    }
}

/// Only Unix opens directories.
#[cfg(not(unix))]
mod handle {
    use std::io;
    use std::path::Path;

    #[derive(Debug)]
    pub(super) struct Handle;

    impl Handle {
        #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
        pub(super) fn open(_: &Path) -> io::Result<Self> {
            Ok(Self)
        }

        #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Unix")]
        pub(super) fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::handle::offered;

    #[test]
    fn what_a_file_system_does_not_offer_is_passed_over_and_a_broken_disk_is_not() {
        let outcome = |errno: Errno| offered(Err::<(), _>(io::Error::from(errno)));
        for errno in [Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS, Errno::BADF] {
            assert!(matches!(outcome(errno), Ok(None)), "{errno}");
        }
        for errno in
            [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::ACCESS, Errno::ROFS, Errno::NOENT]
        {
            assert!(outcome(errno).is_err(), "{errno}");
        }
        assert!(outcome_of_nothing().is_err());
    }

    /// An error that did not come from the system.
    fn outcome_of_nothing() -> io::Result<Option<()>> {
        offered(Err(io::Error::other("?")))
    }

    /// Nothing can be synchronised there: the kernel says EINVAL.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_directory_that_cannot_be_synchronised_is_no_failure() {
        let path = std::path::Path::new("/proc/self");
        let directory = super::Directory::open(path).unwrap();
        let refused = directory.handle.0.as_ref().unwrap().sync_all().unwrap_err();
        assert_eq!(Errno::from_io_error(&refused), Some(Errno::INVAL));
        directory.sync().unwrap();
    }
}
