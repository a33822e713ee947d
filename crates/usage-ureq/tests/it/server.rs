//! A server that does what a test tells it to.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use crate::PATIENCE;

/// Listens on a free port of 127.0.0.1, and plays its script on every connection.
pub(crate) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Request>>>,
    stopping: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// From the request line to the empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// The server's end of a connection, `S` being the stream: TCP, or TLS over it.
pub(crate) struct Connection<S = TcpStream> {
    pub(crate) stream: S,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(script: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// With this much room for what was sent and not yet read, or a little more.
    pub(crate) fn start_with_room(
        bytes: usize,
        script: impl Fn(Connection) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        SockRef::from(&listener).set_recv_buffer_size(bytes).unwrap();
        Self::listen(listener, script)
    }

    fn listen(listener: TcpListener, script: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let script = Arc::new(script);
        let listening = thread::spawn({
            let (connections, requests) = (Arc::clone(&connections), Arc::clone(&requests));
            let stopping = Arc::clone(&stopping);
            move || {
                for stream in listener.incoming() {
                    if stopping.load(Ordering::SeqCst) {
                        break;
                    }
                    let stream = stream.unwrap();
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    stream.set_write_timeout(Some(PATIENCE)).unwrap();
                    connections.fetch_add(1, Ordering::SeqCst);
                    let connection = Connection { stream, requests: Arc::clone(&requests) };
                    let script = Arc::clone(&script);
                    thread::spawn(move || script(connection));
                }
            }
        });
        Self { address, connections, requests, stopping, listening: Some(listening) }
    }

    /// Gives this answer to every request, and keeps the connection.
    pub(crate) fn answering(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::start(move |mut connection| {
            while connection.request().is_some() {
                connection.send(&answer);
            }
        })
    }

    /// Gives this answer to the first request of a connection, and closes it.
    pub(crate) fn answering_once(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::start(move |mut connection| {
            if connection.request().is_some() {
                connection.send(&answer);
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests that have been read, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
        if let Some(listening) = self.listening.take() {
            listening.join().unwrap();
        }
    }
}

impl<S> Connection<S> {
    /// The same connection, spoken to through another stream.
    #[cfg(feature = "tls")]
    pub(crate) fn map<T>(self, stream: impl FnOnce(S) -> T) -> Connection<T> {
        Connection { stream: stream(self.stream), requests: self.requests }
    }
}

impl<S: Read + Write> Connection<S> {
    /// Reads the head of a request; `None` at the end of the connection.
    pub(crate) fn head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return None,
            }
        }
        Some(String::from_utf8(head).unwrap())
    }

    /// Reads a whole request and remembers it; `None` at the end of the connection.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let head = self.head()?;
        let length = head.to_ascii_lowercase();
        let length = length.split_once("content-length: ").map_or("0", |(_, rest)| rest);
        let length = length.split_once("\r\n").map_or(length, |(length, _)| length);
        let mut body = vec![0; length.parse().unwrap()];
        self.stream.read_exact(&mut body).ok()?;
        let request = Request { head, body };
        self.requests.lock().unwrap().push(request.clone());
        Some(request)
    }

    /// Sends these bytes; a client that has gone is none of the script's business.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.try_send(bytes);
    }

    /// Sends these bytes if the client still listens.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Says nothing more, and waits until the client closes.
    pub(crate) fn hang(mut self) {
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }
}

impl Connection {
    /// Closes with a reset instead of an orderly end.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}
