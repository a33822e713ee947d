use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;

use super::{Connection, PATIENCE, Received, Script, Socket};

/// The server. It stops when it is dropped, and closes what is open.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the server and its connections know of.
#[derive(Debug, Default)]
pub(super) struct Shared {
    stopped: Mutex<bool>,
    /// Told when the server stops.
    stopping: Condvar,
    /// One for each connection; those that are closed are gone.
    streams: Mutex<Vec<Weak<TcpStream>>>,
    received: Mutex<Vec<Received>>,
    /// Whether a byte was ever read from a client.
    has_read: AtomicBool,
}

impl Shared {
    pub(super) fn remember(&self, request: Received) {
        lock(&self.received).push(request);
    }

    pub(super) fn has_read(&self) {
        self.has_read.store(true, Ordering::Relaxed);
    }

    /// Lets this time pass; `None` as soon as the server stops.
    pub(super) fn wait(&self, time: Duration) -> Option<()> {
        let stopped = lock(&self.stopped);
        let waited = self.stopping.wait_timeout_while(stopped, time, |stopped| !*stopped);
        let (stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!*stopped).then_some(())
    }

    fn stop(&self) {
        *lock(&self.stopped) = true;
        self.stopping.notify_all();
    }
}

/// # Start
impl ScriptedServer {
    /// Listens on a free port of loopback and plays the first script to the first connection, and
    /// so on; the last one goes to every further connection.
    ///
    /// # Panics
    ///
    /// If there is no script, or no port.
    pub fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        Self::run(player(scripts))
    }

    /// The same with this much room for what was sent and not yet read, or a little more.
    ///
    /// # Panics
    ///
    /// If there is no script, or no port.
    pub fn start_with_room(bytes: usize, scripts: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        SockRef::from(&listener).set_recv_buffer_size(bytes).unwrap();
        Self::listen(listener, player(scripts))
    }

    /// Gives this answer to every request, and keeps the connection.
    pub fn answering(answer: impl Into<Bytes>) -> Self {
        Self::start([Script::answer(answer).repeat()])
    }

    /// Listens on a free port of loopback and hands each connection to `act`, on a thread of its
    /// own. What panics there panics here when the server is dropped.
    ///
    /// # Panics
    ///
    /// If there is no port.
    pub fn run(act: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        Self::listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), act)
    }

    fn listen(listener: TcpListener, act: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let of_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &Arc::new(act), &of_acceptor));
        Self { address, shared, acceptor: Some(acceptor) }
    }
}

/// # Inspect
impl ScriptedServer {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
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

    /// How many connections are open at this end.
    #[must_use]
    pub fn open(&self) -> usize {
        lock(&self.shared.streams).iter().filter(|stream| stream.strong_count() > 0).count()
    }

    /// Whether it has read a byte of any client.
    #[must_use]
    pub fn has_read(&self) -> bool {
        self.shared.has_read.load(Ordering::Relaxed)
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
}

impl ScriptedServer {
    fn stop(&mut self) {
        let Some(acceptor) = self.acceptor.take() else { return };
        self.shared.stop();
        // The acceptor waits for a connection: this is one.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
        for stream in lock(&self.shared.streams).iter().filter_map(Weak::upgrade) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        let ended = acceptor.join();
        assert!(ended.is_ok() || thread::panicking(), "a script has panicked");
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn player<I: IntoIterator<Item = Script>>(
    scripts: I,
) -> impl Fn(Connection) + Send + Sync + 'static + use<I> {
    let scripts: Vec<_> = scripts.into_iter().collect();
    assert!(!scripts.is_empty(), "a scripted server needs a script");
    move |connection| {
        let script = &scripts[connection.index.min(scripts.len() - 1)];
        let _ = script.play(connection);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept<F>(listener: &TcpListener, act: &Arc<F>, shared: &Arc<Shared>)
where
    F: Fn(Connection) + Send + Sync + 'static,
{
    let mut players = Vec::new();
    for (index, stream) in listener.incoming().enumerate() {
        let Ok(stream) = stream.map(Arc::new) else { break };
        {
            let mut streams = lock(&shared.streams);
            if *lock(&shared.stopped) {
                break;
            }
            streams.push(Arc::downgrade(&stream));
        }
        // Pieces go out as the script has them.
        let ready = stream.set_nodelay(true).is_ok()
            && stream.set_read_timeout(Some(PATIENCE)).is_ok()
            && stream.set_write_timeout(Some(PATIENCE)).is_ok();
        if !ready {
            // A client that has reset already; on some systems.
            continue;
        }
        let (act, shared) = (Arc::clone(act), Arc::clone(shared));
        players.push(thread::spawn(move || {
            let stream = Socket { stream, shared: Arc::clone(&shared) };
            act(Connection { stream, index, unread: Vec::new(), shared });
        }));
    }
    for player in players {
        if let Err(panic) = player.join() {
            std::panic::resume_unwind(panic);
        }
    }
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
        let server = ScriptedServer::answering("x");
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

    #[test]
    #[should_panic(expected = "a script has panicked")]
    fn what_panics_in_a_script_panics_in_the_test() {
        let server = ScriptedServer::run(|_| panic!("as it should"));
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let _ = stream.read(&mut [0; 1]);
    }
}
