use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use usage_proto::Token;

use crate::app::App;
use crate::commit_meter::CommitMeter;
use crate::config::Config;
use crate::connection::{self, Phase};
use crate::ended::Ended;
use crate::error::ServerError;
use crate::faults::Faults;
use crate::json_thread::JsonThread;
use crate::listener::{ListenAddress, Listener, Listeners, NOWHERE};
use crate::peer_stream::Accepting;
use crate::store::error::StoreError;
use crate::store::{Store, StoreOptions};
use crate::terms::Terms;

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
    addresses: Vec<ListenAddress>,
    metrics: Option<ListenAddress>,
    app: Weak<App>,
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
        Self::listen(Listeners::new(Listener::bind(address)?), config)
    }

    /// The same on sockets that are open already, several of them if need be, and with a socket of
    /// its own for the metrics.
    ///
    /// # Errors
    ///
    /// [`ServerError::Store`] or [`ServerError::Threads`].
    pub fn listen(listeners: Listeners, config: Config) -> Result<Self, ServerError> {
        let threads = |source| ServerError::Threads { source };
        let addresses = listeners
            .api
            .iter()
            .map(Listener::address)
            .collect::<Result<_, _>>()
            .map_err(threads)?;
        let metrics = listeners.metrics.as_ref().map(Listener::address);
        let metrics = metrics.transpose().map_err(threads)?;
        let commits = CommitMeter::default();
        let options = StoreOptions { commits: commits.clone(), ..StoreOptions::of(&config) };
        let store = Store::open_with(&config.database, &options)?;
        let faults = config.faults.clone();
        let json = JsonThread::start().map_err(threads)?;
        let app = Arc::new(App::new(store.clone(), config, json, &commits));
        let weak = Arc::downgrade(&app);
        let (phase, wanted) = watch::channel(Phase::Running);
        let (running, ended) = Ended::new();
        let (ready, started) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("usage-server".to_owned())
            .spawn(move || {
                let unanswered = run(listeners, &app, &wanted, &ready);
                // The database closes with its last handle: not this one, after the end is told.
                drop(app);
                drop(running);
                unanswered
            })
            .map_err(threads)?;
        match started.recv() {
            Ok(Ok(())) => {
                let (app, thread) = (weak, Some(thread));
                Ok(Self { addresses, metrics, app, store, faults, phase, thread, ended })
            }
            Ok(Err(error)) => Err(threads(error)),
            Err(_) => Err(ServerError::Panicked),
        }
    }

    /// Where it listens, if that is a TCP socket; the port that was chosen, if 0 was asked for. Of
    /// several it is the first. `0.0.0.0:0` if all of them are sockets in the file system.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addresses.iter().find_map(ListenAddress::tcp).unwrap_or(NOWHERE)
    }

    /// Where it listens: all of its sockets but that for the metrics.
    #[must_use]
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// Where it tells its metrics.
    #[must_use]
    pub fn metrics_address(&self) -> Option<&ListenAddress> {
        self.metrics.as_ref()
    }

    /// What `GET /metrics` would answer now. Empty if the server has stopped by itself, which it
    /// does after a panic alone.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        // Text is written to memory, so that there is no error.
        self.app.upgrade().and_then(|app| app.meters.text().ok()).unwrap_or_default()
    }

    /// The base URL for clients on this machine, such as `http://127.0.0.1:8080`. There is none for
    /// a server that has no TCP socket: nobody is at the one that this returns then.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.local_addr();
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

    /// Has requests from now on looked at under these terms. Those that have begun go on under the
    /// old ones.
    pub fn set_terms(&self, terms: Terms) {
        if let Some(app) = self.app.upgrade() {
            app.set_terms(terms);
        }
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
            .field("addresses", &self.addresses)
            .field("metrics", &self.metrics)
            .field("database", &self.store.path())
            .finish_non_exhaustive()
    }
}

/// The life of the server's thread. Returns how many requests got no answer.
fn run(
    listeners: Listeners,
    app: &Arc<App>,
    phase: &watch::Receiver<Phase>,
    ready: &SyncSender<io::Result<()>>,
) -> usize {
    let (runtime, api, metrics) = match start(listeners) {
        Ok(started) => started,
        Err(error) => {
            drop(ready.send(Err(error)));
            return 0;
        }
    };
    drop(ready.send(Ok(())));
    if let Some(metrics) = metrics {
        // Ended with the runtime, so that it tells of the drain as well.
        runtime.spawn(connection::serve_operator(metrics, app.clone()));
    }
    let unanswered = runtime.block_on(connection::serve(api, app, phase.clone()));
    runtime.shutdown_timeout(STOP_WAIT);
    unanswered
}

fn start(listeners: Listeners) -> io::Result<(Runtime, Accepting, Option<Accepting>)> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("usage-server-worker")
        .enable_all()
        .build()?;
    let (api, metrics) = {
        let _context = runtime.enter();
        let metrics = listeners.metrics.map(|metrics| Accepting::new([metrics])).transpose()?;
        (Accepting::new(listeners.api)?, metrics)
    };
    Ok((runtime, api, metrics))
}
