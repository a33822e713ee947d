use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::error::ServerError;
#[cfg(unix)]
use crate::socket_file::SocketFile;

/// A socket that a server listens on: one that it opens, or one that it was handed.
///
/// ```
/// use usage_server::{Config, Database, Listener, Listeners, Server};
///
/// let listeners = Listeners::new(Listener::bind("127.0.0.1:0")?)
///     .metrics(Listener::bind("127.0.0.1:0")?);
/// let server = Server::listen(listeners, Config::new(Database::temporary()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Listener(pub(crate) Socket);

#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        /// That this server has made, and removes.
        file: Option<SocketFile>,
    },
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddress {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket in the file system; `None` if it has no name.
    #[cfg(unix)]
    Unix(Option<PathBuf>),
}

impl Listener {
    /// Listens on an address. With port 0 the operating system chooses one that is free.
    ///
    /// # Errors
    ///
    /// [`ServerError::Address`] or [`ServerError::Listen`].
    pub fn bind(address: impl ToSocketAddrs) -> Result<Self, ServerError> {
        let addresses =
            address.to_socket_addrs().map_err(|source| ServerError::Address { source })?;
        let mut failure = ServerError::Address { source: io::ErrorKind::AddrNotAvailable.into() };
        for address in addresses {
            match TcpListener::bind(address) {
                Ok(listener) => return Ok(listener.into()),
                Err(source) => failure = ServerError::Listen { address, source },
            }
        }
        Err(failure)
    }

    /// Listens on a socket in the file system, which is removed when the server stops. One that was
    /// left by a server that is gone is replaced; any other file stays, and is an error.
    ///
    /// Who may connect is what the mode of the socket says, and so the umask of this process, and
    /// who may enter its directory.
    ///
    /// # Errors
    ///
    /// [`ServerError::Socket`].
    #[cfg(unix)]
    pub fn bind_unix(path: impl AsRef<Path>) -> Result<Self, ServerError> {
        let path = path.as_ref();
        let (listener, file) = SocketFile::bind(path)
            .map_err(|source| ServerError::Socket { path: path.to_owned(), source })?;
        Ok(Self(Socket::Unix { listener, file: Some(file) }))
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn address(&self) -> io::Result<ListenAddress> {
        match &self.0 {
            Socket::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            #[cfg(unix)]
            Socket::Unix { listener, .. } => {
                let address = listener.local_addr()?;
                Ok(ListenAddress::Unix(address.as_pathname().map(Path::to_owned)))
            }
        }
    }
}

/// One that somebody else has opened, such as systemd.
impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(Socket::Tcp(listener))
    }
}

/// One that somebody else has opened, such as systemd. Its file is left to who has made it.
#[cfg(unix)]
impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self(Socket::Unix { listener, file: None })
    }
}

impl ListenAddress {
    /// The address of a TCP socket.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    /// Whether other machines can reach it.
    #[must_use]
    pub fn is_reachable_from_outside(&self) -> bool {
        self.tcp().is_some_and(|address| !address.ip().to_canonical().is_loopback())
    }
}

/// As `--listen` takes it: `127.0.0.1:8080`, or `unix:/run/usage.sock`.
impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            #[cfg(unix)]
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            #[cfg(unix)]
            Self::Unix(None) => f.write_str("unix:"),
        }
    }
}

/// The sockets of one server.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) api: Vec<Listener>,
    pub(crate) metrics: Option<Listener>,
}

impl Listeners {
    /// The API on one socket.
    #[must_use]
    pub fn new(api: Listener) -> Self {
        Self { api: vec![api], metrics: None }
    }

    /// The API on one more socket.
    #[must_use]
    pub fn and(mut self, api: Listener) -> Self {
        self.api.push(api);
        self
    }

    /// `GET /metrics`, for Prometheus, and `GET /readyz`, on a socket of their own: what they say
    /// is for the operator alone. They are answered until the server has stopped.
    #[must_use]
    pub fn metrics(self, metrics: Listener) -> Self {
        Self { metrics: Some(metrics), ..self }
    }
}

/// Where nobody listens.
pub(crate) const NOWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
