use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// An address of loopback at which nobody listens, and nobody else can begin to.
#[derive(Debug)]
pub struct Nobody {
    /// Bound, and no more than that.
    _socket: Socket,
    address: SocketAddr,
}

impl Nobody {
    /// Takes a free port.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Self { _socket: socket, address }
    }

    /// Where nobody is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Default for Nobody {
    fn default() -> Self {
        Self::new()
    }
}

/// A host that cannot be found, with a network and without: its name has a label of 64 bytes, for
/// which nobody can ask.
#[must_use]
pub fn no_such_host() -> String {
    format!("{}.direct.invalid", "x".repeat(64))
}
