//! A TCP server on loopback that does to each connection what a script says, however wrong it is.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use usage_tests::scripted::{Script, ScriptedServer};
//!
//! let server = ScriptedServer::start([Script::new().read_request().send("HTTP/1.1 503 ")]);
//! let mut stream = TcpStream::connect(server.address())?;
//! stream.write_all(b"POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer)?;
//! assert_eq!(answer, "HTTP/1.1 503 ");
//! assert_eq!(server.finish()[0].body, b"hi");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;

/// No read or write of a script takes longer: a test that goes wrong ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// What happens to one connection, step by step. At its end the connection is closed gracefully:
/// what was sent arrives.
#[derive(Debug, Clone, Default)]
pub struct Script {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    ReadRequest,
    Send(Bytes),
    Pause(Duration),
    Reset,
    Hold,
    Repeat,
}

impl Script {
    /// Accepts and closes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one request, with as much body as its `Content-Length` says.
    #[must_use]
    pub fn read_request(self) -> Self {
        self.and(Step::ReadRequest)
    }

    /// Writes bytes as they are.
    #[must_use]
    pub fn send(self, bytes: impl Into<Bytes>) -> Self {
        self.and(Step::Send(bytes.into()))
    }

    /// Waits, for what only time can show.
    #[must_use]
    pub fn pause(self, time: Duration) -> Self {
        self.and(Step::Pause(time))
    }

    /// Ends the connection with a reset. What was sent before is on its way.
    #[must_use]
    pub fn reset(self) -> Self {
        self.and(Step::Reset)
    }

    /// Says nothing until the client closes the connection, or the server is dropped.
    #[must_use]
    pub fn hold(self) -> Self {
        self.and(Step::Hold)
    }

    /// Starts over on the same connection, as long as the client keeps it open.
    #[must_use]
    pub fn repeat(self) -> Self {
        self.and(Step::Repeat)
    }

    /// Reads a request and answers it with these bytes.
    #[must_use]
    pub fn answer(bytes: impl Into<Bytes>) -> Self {
        Self::new().read_request().send(bytes)
    }

    fn and(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// The request line and the headers.
    pub head: String,
    /// The body, as far as it came.
    pub body: Vec<u8>,
}

/// The server. It stops when it is dropped, and closes what is open.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    /// One for each connection, gone once it was reset.
    streams: Mutex<Vec<Option<Arc<TcpStream>>>>,
    received: Mutex<Vec<Received>>,
}

impl ScriptedServer {
    /// Listens on a free port of loopback and plays the first script to the first connection, and
    /// so on; the last one goes to every further connection.
    ///
    /// # Panics
    ///
    /// If there is no script, or no port.
    pub fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        let scripts: Vec<_> = scripts.into_iter().collect();
        assert!(!scripts.is_empty(), "a scripted server needs a script");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let of_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &scripts, &of_acceptor));
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.shared.streams).len()
    }

    /// The requests that came so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// Stops, and returns the requests that came.
    #[must_use]
    pub fn finish(mut self) -> Vec<Received> {
        self.stop();
        self.received()
    }

    fn stop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // The acceptor waits for a connection: this is one.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
        for stream in lock(&self.shared.streams).iter().flatten() {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            // A script that panicked has failed its test by what the client saw.
            let _ = acceptor.join();
        }
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, scripts: &[Script], shared: &Arc<Shared>) {
    let mut players = Vec::new();
    for (index, stream) in listener.incoming().enumerate() {
        let Ok(stream) = stream.map(Arc::new) else { break };
        {
            let mut streams = lock(&shared.streams);
            if shared.stopped.load(Ordering::SeqCst) {
                break;
            }
            streams.push(Some(Arc::clone(&stream)));
        }
        let script = scripts[index.min(scripts.len() - 1)].clone();
        let shared = Arc::clone(shared);
        players.push(thread::spawn(move || {
            // The client is free to go away in the middle.
            let _ = Player { stream, connection: index, unread: Vec::new(), shared }.play(&script);
        }));
    }
    for player in players {
        let _ = player.join();
    }
}

/// One connection.
struct Player {
    stream: Arc<TcpStream>,
    connection: usize,
    /// What came behind the request that was read last.
    unread: Vec<u8>,
    shared: Arc<Shared>,
}

impl Player {
    fn play(mut self, script: &Script) -> io::Result<()> {
        self.stream.set_read_timeout(Some(PATIENCE))?;
        self.stream.set_write_timeout(Some(PATIENCE))?;
        // Pieces go out as the script has them.
        self.stream.set_nodelay(true)?;
        let mut at = 0;
        while let Some(step) = script.steps.get(at) {
            at += 1;
            match step {
                Step::ReadRequest => self.read_request()?,
                Step::Send(bytes) => (&*self.stream).write_all(bytes)?,
                Step::Pause(time) => thread::sleep(*time),
                Step::Hold => return self.drain(),
                Step::Repeat => at = 0,
                Step::Reset => {
                    SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO))?;
                    // The socket closes, and resets, once nobody holds it.
                    lock(&self.shared.streams)[self.connection] = None;
                    return Ok(());
                }
            }
        }
        self.stream.shutdown(Shutdown::Write)?;
        self.drain()
    }

    /// Reads until the client has closed: closing with something unread would be a reset.
    fn drain(&self) -> io::Result<()> {
        io::copy(&mut &*self.stream, &mut io::sink()).map(|_| ())
    }

    fn read_request(&mut self) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.unread);
        let head_ends = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more(&mut bytes)?;
        };
        let head = String::from_utf8_lossy(&bytes[..head_ends]).into_owned();
        let length = content_length(&head);
        while bytes.len() < head_ends + length {
            self.read_more(&mut bytes)?;
        }
        self.unread = bytes.split_off(head_ends + length);
        let body = bytes.split_off(head_ends);
        let request = Received { connection: self.connection, head, body };
        lock(&self.shared.received).push(request);
        Ok(())
    }

    fn read_more(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut piece = [0; 8192];
        match (&*self.stream).read(&mut piece)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                bytes.extend_from_slice(&piece[..length]);
                Ok(())
            }
        }
    }
}

fn content_length(head: &str) -> usize {
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream;

    use super::{Script, ScriptedServer};

    fn ask(stream: &mut TcpStream, body: &str) {
        write!(stream, "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }

    fn bodies(server: ScriptedServer) -> Vec<(usize, String)> {
        let text = |body: Vec<u8>| String::from_utf8(body).unwrap();
        server.finish().into_iter().map(|one| (one.connection, text(one.body))).collect()
    }

    #[test]
    fn a_reset_comes_behind_what_was_sent() {
        let server = ScriptedServer::start([Script::answer("half").reset()]);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        ask(&mut stream, "hi");
        let mut got = Vec::new();
        let end = stream.read_to_end(&mut got).unwrap_err();
        assert_eq!((got.as_slice(), end.kind()), (&b"half"[..], ErrorKind::ConnectionReset));
    }

    #[test]
    fn requests_on_one_connection_are_told_apart() {
        let server = ScriptedServer::start([Script::answer("x").repeat()]);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        ask(&mut stream, "one");
        ask(&mut stream, "two");
        stream.read_exact(&mut [0; 2]).unwrap();
        assert_eq!(server.connections(), 1);
        assert_eq!(bodies(server), [(0, "one".to_owned()), (0, "two".to_owned())]);
    }

    #[test]
    fn the_last_script_is_for_everyone_else() {
        let server = ScriptedServer::start([Script::new(), Script::answer("x")]);
        for answer in ["", "x", "x"] {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            ask(&mut stream, "");
            let mut got = String::new();
            // The first closes with a request unread on the way, which may be a reset.
            let _ = stream.read_to_string(&mut got);
            assert_eq!(got, answer);
        }
        assert_eq!(bodies(server).len(), 2);
    }

    #[test]
    fn dropping_the_server_ends_what_holds() {
        let server = ScriptedServer::start([Script::new().read_request().hold()]);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        ask(&mut stream, "hi");
        while server.received().is_empty() {
            std::thread::yield_now();
        }
        drop(server);
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }
}
