use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

const ANSWER: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

/// A server that does as little as it can, so that what is measured is the client: it answers every
/// request on loopback, and keeps the connection. Its threads end with their connections, and the
/// one that accepts with the process.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Listens on a free port.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn start() -> Self {
        Self::run("http", |stream| serve(&stream))
    }

    /// The same over TLS.
    ///
    /// # Panics
    ///
    /// If there is no port.
    #[must_use]
    pub fn start_over_tls(config: Arc<ServerConfig>) -> Self {
        Self::run("https", move |stream| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            serve(StreamOwned::new(session, stream));
        })
    }

    fn run(scheme: &'static str, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let serve = Arc::new(serve);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let _ = stream.set_nodelay(true);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream));
            }
        });
        Self { address, scheme, connections }
    }

    /// Its address as a base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// How many connections were made since this was asked last.
    #[must_use]
    pub fn take_connections(&self) -> usize {
        self.connections.swap(0, Ordering::Relaxed)
    }
}

/// Answers until the client goes.
fn serve(mut stream: impl Read + Write) {
    let mut buffer = Vec::with_capacity(4 << 10);
    let mut piece = [0; 4 << 10];
    loop {
        while let Some(length) = request(&buffer) {
            buffer.drain(..length);
            if stream.write_all(ANSWER).and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(length) => buffer.extend_from_slice(&piece[..length]),
        }
    }
}

/// How long the first request in `bytes` is, if all of it is there.
fn request(bytes: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"content-length:";
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let line = bytes[..head].split(|&byte| byte == b'\n').find(|line| {
        line.len() > LENGTH.len() && line[..LENGTH.len()].eq_ignore_ascii_case(LENGTH)
    });
    let digits = line.and_then(|line| std::str::from_utf8(&line[LENGTH.len()..]).ok());
    let length: usize = digits.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    (bytes.len() >= head + length).then_some(head + length)
}
