//! One connection, whatever kind of socket it came in by, and who is at its other end.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::listener::{Listener, Socket};
#[cfg(unix)]
use crate::socket_file::SocketFile;

/// After how long without a word the system asks the other end whether it is still there, and how
/// often it asks again: a machine that was switched off says nothing by itself.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));

/// Who has opened a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Address(IpAddr),
    /// A process on this machine, over a socket in the file system.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no such sockets"))]
    ThisMachine,
}

impl Peer {
    pub(crate) fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address.to_canonical()),
            Self::ThisMachine => None,
        }
    }

    /// As far as places are shared out by address.
    pub(crate) fn address(self) -> IpAddr {
        match self {
            Self::Address(address) => address,
            Self::ThisMachine => Ipv4Addr::LOCALHOST.into(),
        }
    }
}

#[derive(Debug)]
pub(crate) enum PeerStream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl PeerStream {
    /// Where one of these fails, answers come later, or who vanished is found later.
    pub(crate) fn prepare(&self) {
        match self {
            Self::Tcp(stream) => {
                // Answers are small and written at once.
                let _ = stream.set_nodelay(true);
                let _ = SockRef::from(stream).set_tcp_keepalive(&KEEPALIVE);
            }
            // The system tells when the process at the other end is gone.
            #[cfg(unix)]
            Self::Unix(_) => {}
        }
    }

    /// What the other end has not read is not kept for it either.
    pub(crate) fn abandon(&self) {
        match self {
            Self::Tcp(stream) => {
                let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
            }
            #[cfg(unix)]
            Self::Unix(_) => {}
        }
    }
}

macro_rules! either {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            PeerStream::Tcp($stream) => $call,
            #[cfg(unix)]
            PeerStream::Unix($stream) => $call,
        }
    };
}

impl AsyncRead for PeerStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}

/// Sockets that take connections, in turn.
#[derive(Debug)]
pub(crate) struct Accepting {
    sockets: Vec<AcceptingSocket>,
    /// Which one is asked first, so that none of them keeps the others waiting.
    first: AtomicUsize,
}

#[derive(Debug)]
enum AcceptingSocket {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix {
        listener: tokio::net::UnixListener,
        #[expect(dead_code, reason = "dropping it removes the file")]
        file: Option<SocketFile>,
    },
}

impl Accepting {
    /// Has to be called within a runtime.
    pub(crate) fn new(listeners: impl IntoIterator<Item = Listener>) -> io::Result<Self> {
        let sockets = listeners.into_iter().map(AcceptingSocket::new).collect::<io::Result<_>>()?;
        Ok(Self { sockets, first: AtomicUsize::new(0) })
    }

    pub(crate) async fn accept(&self) -> io::Result<(PeerStream, Peer)> {
        std::future::poll_fn(|context| self.poll_accept(context)).await
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(PeerStream, Peer)>> {
        let first = self.first.fetch_add(1, Ordering::Relaxed);
        for offset in 0..self.sockets.len() {
            let socket = &self.sockets[first.wrapping_add(offset) % self.sockets.len()];
            if let Poll::Ready(accepted) = socket.poll_accept(context) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

impl AcceptingSocket {
    fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener.0 {
            Socket::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Self::Tcp(tokio::net::TcpListener::from_std(listener)?)
            }
            #[cfg(unix)]
            Socket::Unix { listener, file } => {
                listener.set_nonblocking(true)?;
                Self::Unix { listener: tokio::net::UnixListener::from_std(listener)?, file }
            }
        })
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(PeerStream, Peer)>> {
        Poll::Ready(match self {
            Self::Tcp(listener) => {
                let (stream, peer) = ready!(listener.poll_accept(context))?;
                Ok((PeerStream::Tcp(stream), Peer::Address(peer.ip())))
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                let (stream, _) = ready!(listener.poll_accept(context))?;
                Ok((PeerStream::Unix(stream), Peer::ThisMachine))
            }
        })
    }
}
