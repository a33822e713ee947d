//! Files that a program writes are its own, and files that it reads have an end.
//!
//! A program that keeps a state, a lock or a database opens it by a name. Who may write to the
//! directory, or has put something there before, decides what that name leads to: a link to a file
//! elsewhere, a pipe that nobody ever writes to, a database full of another person's tokens. So what
//! is **written** is opened by [`open`], [`append`] and [`open_existing`], read back by [`read_own`], or
//! looked at by [`check`] where a library opens it. They refuse
//!
//! - what is not a regular file: a directory, a pipe, a socket, a device,
//! - a link, and a file that has a second name ([`Risk::Link`]),
//! - a file of another user ([`Risk::OtherOwner`]),
//! - a file that others may write ([`Risk::WritableByOthers`]),
//!
//! and whoever knows better accepts a risk by its name. What they make can be read and written by
//! its owner alone.
//!
//! ```
//! use usage_files::{Accept, Risk, open};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("usage.lock");
//! let lock = open(&path, Accept::NOTHING)?;
//! // In a container the volume may belong to another user.
//! let lock = open(&path, Accept::NOTHING.and(Risk::OtherOwner))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is only **read** may be a link, as Kubernetes mounts secrets, and a pipe, as a shell makes
//! one of `<(…)`: [`read()`] and [`read_secret`] have bounds of size and time, and `read_secret`
//! refuses what others may write.
//!
//! # Platforms
//!
//! Owners, modes and second names are those of Unix. Elsewhere a file is refused if it is a link or
//! not a regular file; there is no bound of time for a read, and a [`FileId`] only tells that a file
//! is there.
//!
//! What is not looked at is the directory, and access lists beyond the mode: in a directory that
//! others may write they can remove a file, or give its name to another one. A [`FileId`] shows it.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
mod error;
mod file_id;
mod own;
mod read;
mod system;

pub use accept::{Accept, Risk, UnknownRisk};
pub use error::FileError;
pub use file_id::FileId;
pub use own::{append, check, create_new, locate, open, open_existing, read_own};
pub use read::{Secret, read, read_secret};

/// The examples of the page in a registry.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
