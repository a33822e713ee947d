//! What the systems have and call differently.

#[cfg(not(unix))]
pub(crate) use self::elsewhere::*;
#[cfg(unix)]
pub(crate) use self::unix::*;

#[cfg(unix)]
mod unix {
    use std::fs::{Metadata, OpenOptions, canonicalize};
    use std::io;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};

    use rustix::fs::OFlags;
    use rustix::io::Errno;
    use rustix::process::geteuid;

    use crate::accept::Risk;

    /// The bits of a mode that let others write or read.
    pub(crate) const OTHERS_WRITE: u32 = 0o022;
    pub(crate) const OTHERS_READ: u32 = 0o044;

    /// No link is followed, no pipe waited for, and no terminal becomes the process's own.
    pub(crate) fn without_surprises(options: &mut OpenOptions) -> &mut OpenOptions {
        flags(options, OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY)
    }

    /// The same, but that links are followed.
    pub(crate) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
        flags(options, OFlags::NONBLOCK | OFlags::NOCTTY)
    }

    fn flags(options: &mut OpenOptions, flags: OFlags) -> &mut OpenOptions {
        options.custom_flags(flags.bits().cast_signed())
    }

    pub(crate) fn owners_alone(options: &mut OpenOptions) -> &mut OpenOptions {
        options.mode(0o600)
    }

    /// Whether an open was refused since the name is a link.
    pub(crate) fn is_link(error: &io::Error) -> bool {
        // FreeBSD says EMLINK, and NetBSD EFTYPE, which is looked at again in vain.
        let errno = Errno::from_io_error(error);
        errno == Some(Errno::LOOP) || errno == Some(Errno::MLINK)
    }

    /// A directory, with the links on the way to it followed.
    pub(crate) fn without_links(directory: &Path) -> io::Result<PathBuf> {
        canonicalize(directory)
    }

    pub(crate) fn mode(metadata: &Metadata) -> u32 {
        metadata.mode() & 0o7777
    }

    pub(crate) fn what(metadata: &Metadata) -> &'static str {
        let kind = metadata.file_type();
        if kind.is_dir() {
            "a directory"
        } else if kind.is_fifo() {
            "a pipe"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        }
    }

    /// Each risk of a regular file, with words for it.
    pub(crate) fn risks(metadata: &Metadata) -> Vec<(Risk, String)> {
        let mut risks = Vec::new();
        let (owner, me) = (metadata.uid(), geteuid().as_raw());
        if owner != me {
            risks.push((
                Risk::OtherOwner,
                format!(
                    "belongs to user {owner}, and this program runs as user {me}: give it to that \
                     user (chown)"
                ),
            ));
        }
        if mode(metadata) & OTHERS_WRITE != 0 {
            risks.push((
                Risk::WritableByOthers,
                format!(
                    "can be written by others (mode {:04o}): take the right away from them \
                     (chmod go-w)",
                    mode(metadata)
                ),
            ));
        }
        if metadata.nlink() > 1 {
            risks.push((
                Risk::Link,
                format!(
                    "is one of {} names of the same file: remove the others, or copy the file",
                    metadata.nlink()
                ),
            ));
        }
        risks
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::fs::{Metadata, OpenOptions};
    use std::io;
    use std::path::{Path, PathBuf};

    use crate::accept::Risk;

    pub(crate) fn without_surprises(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    pub(crate) fn owners_alone(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    pub(crate) fn is_link(_: &io::Error) -> bool {
        false
    }

    /// As it is: the canonical form of Windows is one that not every library takes.
    pub(crate) fn without_links(directory: &Path) -> io::Result<PathBuf> {
        std::fs::metadata(directory)?;
        Ok(directory.to_owned())
    }

    pub(crate) fn what(metadata: &Metadata) -> &'static str {
        if metadata.is_dir() { "a directory" } else { "a device" }
    }

    pub(crate) fn risks(_: &Metadata) -> Vec<(Risk, String)> {
        Vec::new()
    }
}
