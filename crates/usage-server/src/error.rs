use std::fmt::{self, Formatter};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use usage_proto::Chain;

use crate::store::error::StoreError;

/// Why a server did not start, or did not stop cleanly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address to listen on has no meaning here.
    #[error(fmt = no_address)]
    #[non_exhaustive]
    Address {
        /// What the operating system said.
        source: io::Error,
    },
    /// The address is taken, or not this machine's.
    #[error(fmt = no_listener)]
    #[non_exhaustive]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The socket in the file system cannot be had.
    #[error(fmt = no_socket)]
    #[non_exhaustive]
    Socket {
        /// Its path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The threads of the server could not be started.
    #[error(fmt = no_threads)]
    #[non_exhaustive]
    Threads {
        /// What the operating system said.
        source: io::Error,
    },
    /// The database could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The drain deadline passed. What had been answered is stored.
    #[error("{requests} requests were still in flight at the drain deadline and got no answer")]
    #[non_exhaustive]
    Unfinished {
        /// How many.
        requests: usize,
    },
    /// The server's thread panicked, which is a bug in this crate.
    #[error("the server's thread panicked")]
    Panicked,
}

fn no_address(source: &io::Error, f: &mut Formatter<'_>) -> fmt::Result {
    let message =
        format_args!("cannot make out the address to listen on: write it as 127.0.0.1:8080");
    Chain::message(f, message, source)
}

fn no_listener(address: &SocketAddr, source: &io::Error, f: &mut Formatter<'_>) -> fmt::Result {
    let message = format_args!("cannot listen on {address}: is another program there?");
    Chain::message(f, message, source)
}

fn no_socket(path: &Path, source: &io::Error, f: &mut Formatter<'_>) -> fmt::Result {
    Chain::message(f, format_args!("cannot listen on the socket {}", path.display()), source)
}

fn no_threads(source: &io::Error, f: &mut Formatter<'_>) -> fmt::Result {
    Chain::message(f, format_args!("cannot start the server's threads"), source)
}
