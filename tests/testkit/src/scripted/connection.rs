use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::PATIENCE;
use super::server::Shared;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// From the request line to the empty line.
    pub head: String,
    /// The body, as far as it came.
    pub body: Vec<u8>,
}

impl Received {
    /// The request line.
    #[must_use]
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The values of a header, in order; the name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }
}

/// A TCP connection. It closes when it is dropped, or when its server stops.
#[derive(Debug)]
pub struct Socket {
    pub(super) stream: Arc<TcpStream>,
    pub(super) shared: Arc<Shared>,
}

impl Socket {
    /// To read and write from two threads.
    #[must_use]
    pub fn both_ways(&self) -> &TcpStream {
        &self.stream
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (&*self.stream).read(buffer)?;
        if length > 0 {
            self.shared.has_read();
        }
        Ok(length)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.stream).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.stream).flush()
    }
}

/// Whether the system still waits to be told that the end of a connection of 127.0.0.1 has arrived.
fn is_unacknowledged(here: u16, there: u16) -> bool {
    const FIN_WAIT_1: &str = "04";
    let ends = [format!("0100007F:{here:04X}"), format!("0100007F:{there:04X}")];
    let connections = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    connections.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let found = [fields.next(), fields.next()];
        found == ends.each_ref().map(|end| Some(end.as_str())) && fields.next() == Some(FIN_WAIT_1)
    })
}

/// The server's end of a connection, `S` being the stream: TCP, or TLS over it.
#[derive(Debug)]
pub struct Connection<S = Socket> {
    /// To read from and to write to.
    pub stream: S,
    pub(super) index: usize,
    /// What came behind the request that was read last.
    pub(super) unread: Vec<u8>,
    pub(super) shared: Arc<Shared>,
}

impl<S> Connection<S> {
    /// The same connection, spoken to through another stream.
    pub fn map<T>(self, stream: impl FnOnce(S) -> T) -> Connection<T> {
        let Self { stream: inner, index, unread, shared } = self;
        Connection { stream: stream(inner), index, unread, shared }
    }
}

impl<S: Read + Write> Connection<S> {
    /// Reads the head of a request; `None` at the end of the connection.
    pub fn head(&mut self) -> Option<String> {
        let mut bytes = std::mem::take(&mut self.unread);
        let ends = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more(&mut bytes).ok()?;
        };
        self.unread = bytes.split_off(ends);
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads a whole request, with as much body as its `Content-Length` says, and remembers it;
    /// `None` at the end of the connection.
    pub fn request(&mut self) -> Option<Received> {
        let head = self.head()?;
        let mut request = Received { connection: self.index, head, body: Vec::new() };
        let length = request.header("content-length").first().and_then(|text| text.parse().ok());
        let length = length.unwrap_or(0);
        let mut body = std::mem::take(&mut self.unread);
        while body.len() < length {
            self.read_more(&mut body).ok()?;
        }
        self.unread = body.split_off(length);
        request.body = body;
        self.shared.remember(request.clone());
        Some(request)
    }

    /// Sends these bytes; a client that has gone is none of the script's business.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.try_send(bytes);
    }

    /// Sends these bytes if the client still listens.
    ///
    /// # Errors
    ///
    /// The stream's own.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Says nothing more, and waits until the client closes.
    pub fn hang(mut self) {
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }

    fn read_more(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut piece = [0; 8192];
        match self.stream.read(&mut piece)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                bytes.extend_from_slice(&piece[..length]);
                Ok(())
            }
        }
    }
}

impl Connection {
    /// Closes with a reset instead of an orderly end. What was sent before is on its way.
    pub fn reset(self) {
        // The client may have closed already.
        let _ = SockRef::from(&*self.stream.stream).set_linger(Some(Duration::ZERO));
    }

    /// Closes, and returns once the client's system has heard of it. The client itself may not have
    /// looked yet. Only Linux tells; elsewhere it returns at once.
    pub fn close_noticeably(self) {
        let stream = self.stream.both_ways();
        let _ = stream.shutdown(Shutdown::Write);
        let ports = (stream.local_addr(), stream.peer_addr());
        let (Ok(here), Ok(there)) = ports else { return };
        let deadline = Instant::now() + PATIENCE;
        while is_unacknowledged(here.port(), there.port()) && Instant::now() < deadline {
            thread::yield_now();
        }
    }

    /// Closes so that what was sent arrives: closing with something unread would be a reset.
    pub fn close(self) {
        let _ = self.stream.stream.shutdown(Shutdown::Write);
        self.hang();
    }
}
