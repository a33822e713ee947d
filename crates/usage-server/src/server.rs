use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use usage_proto::Token;

use crate::app::App;
use crate::config::Config;
use crate::connection::{self, Phase};
use crate::ended::Ended;
use crate::error::ServerError;
use crate::faults::Faults;
use crate::json_thread::JsonThread;
use crate::store::error::StoreError;
use crate::store::{Store, StoreOptions};

/// Threads that answer requests. They only read small bodies and wait: large ones and the database
/// have their own.
const WORKERS: usize = 2;

/// How long dropping a server may take, and what it leaves to the operating system after a drain.
const STOP_WAIT: Duration = Duration::from_secs(1);

/// A Usage API that runs in this process.
///
/// It has its own threads and needs no async runtime around it; in async code, what blocks
/// ([`bind`](Self::bind), [`create_token`](Self::create_token), [`shutdown`](Self::shutdown))
/// belongs into `spawn_blocking` if a pause of milliseconds matters.
///
/// Dropped without [`shutdown`](Self::shutdown), it closes all connections at once and waits a
/// second at most. Whatever it had answered is stored.
pub struct Server {
    address: SocketAddr,
    store: Store,
    faults: Faults,
    phase: watch::Sender<Phase>,
    /// Taken by `shutdown`. Yields how many requests got no answer.
    thread: Option<JoinHandle<usize>>,
    ended: Ended,
}

impl Server {
    /// Opens the database, listens, and serves from now on. With port 0 the operating system
    /// chooses one that is free.
    ///
    /// # Errors
    ///
    /// [`ServerError::Address`], [`ServerError::Listen`], [`ServerError::Store`] or
    /// [`ServerError::Threads`].
    pub fn bind(address: impl ToSocketAddrs, config: Config) -> Result<Self, ServerError> {
        let listener = listen(address)?;
        let threads = |source| ServerError::Threads { source };
        let address = listener.local_addr().map_err(threads)?;
        let store = Store::open_with(&config.database, &StoreOptions::of(&config))?;
        let faults = config.faults.clone();
        let json = JsonThread::start().map_err(threads)?;
        let app = Arc::new(App::new(store.clone(), config, json));
        let (phase, wanted) = watch::channel(Phase::Running);
        let (running, ended) = Ended::new();
        let (ready, started) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("usage-server".to_owned())
            .spawn(move || {
                let unanswered = run(listener, &app, wanted, &ready);
                // The database closes with its last handle: not this one, after the end is told.
                drop(app);
                drop(running);
                unanswered
            })
            .map_err(threads)?;
        match started.recv() {
            Ok(Ok(())) => Ok(Self { address, store, faults, phase, thread: Some(thread), ended }),
            Ok(Err(error)) => Err(threads(error)),
            Err(_) => Err(ServerError::Panicked),
        }
    }

    /// Where it listens; the port that was chosen, if 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for clients on this machine, such as `http://127.0.0.1:8080`.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.address;
        // Listening on every address is no address to connect to.
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}")
    }

    /// Makes a token for an organisation; see [`Store::create_token`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::create_token`].
    pub fn create_token(&self, organisation: &str) -> Result<Token, StoreError> {
        self.store.create_token(organisation)
    }

    /// What is stored.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The fault switches.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Stops: takes no new connection, closes the idle ones, and waits for the requests in flight
    /// until the [drain deadline](Config::drain_deadline). The database file is closed when this
    /// returns, unless there are clones of the [`Store`].
    ///
    /// # Errors
    ///
    /// [`ServerError::Unfinished`] if the deadline passed with requests in flight.
    pub fn shutdown(mut self) -> Result<(), ServerError> {
        self.phase.send_replace(Phase::Draining);
        match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(0)) => Ok(()),
            Some(Ok(requests)) => Err(ServerError::Unfinished { requests }),
            Some(Err(_)) => Err(ServerError::Panicked),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.phase.send_replace(Phase::Aborting);
            self.ended.wait(STOP_WAIT);
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("database", &self.store.path())
            .finish_non_exhaustive()
    }
}

fn listen(address: impl ToSocketAddrs) -> Result<TcpListener, ServerError> {
    let addresses = address.to_socket_addrs().map_err(|source| ServerError::Address { source })?;
    let mut failure = ServerError::Address { source: io::ErrorKind::AddrNotAvailable.into() };
    for address in addresses {
        match TcpListener::bind(address) {
            Ok(listener) => return Ok(listener),
            Err(source) => failure = ServerError::Listen { address, source },
        }
    }
    Err(failure)
}

/// The life of the server's thread. Returns how many requests got no answer.
fn run(
    listener: TcpListener,
    app: &Arc<App>,
    phase: watch::Receiver<Phase>,
    ready: &SyncSender<io::Result<()>>,
) -> usize {
    let (runtime, listener) = match start(listener) {
        Ok(started) => started,
        Err(error) => {
            drop(ready.send(Err(error)));
            return 0;
        }
    };
    drop(ready.send(Ok(())));
    let unanswered = runtime.block_on(connection::serve(listener, app, phase));
    runtime.shutdown_timeout(STOP_WAIT);
    unanswered
}

fn start(listener: TcpListener) -> io::Result<(Runtime, tokio::net::TcpListener)> {
    listener.set_nonblocking(true)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("usage-server-worker")
        .enable_all()
        .build()?;
    let listener = {
        let _context = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    Ok((runtime, listener))
}
