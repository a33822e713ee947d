use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Events, ServerEvent};
use crate::faults::Faults;
use crate::registration::policy::{Redirects, Registration};
use crate::request_log::RequestLog;
use crate::store;
use crate::store::database::Database;
use crate::store::retention::Retention;
use crate::terms::Terms;

/// How a [`Server`](crate::Server) is to run. Everything but the database has a default.
///
/// # Memory
///
/// Whatever clients send, with a token or without, it takes no more memory than these three
/// together, and a few MiB:
///
/// | what | at most | with the defaults |
/// |---|---|---|
/// | bytes that arrive | [`connections`](Self::connections) × ([`body_limit`](Self::body_limit) + 128 KiB) | 576 MiB |
/// | the body that is read, one at a time above 32 KiB | 160 × `body_limit` | 160 MiB |
/// | reports on their way to the database | [`queue_bytes`](Self::queue_bytes) | 64 MiB |
///
/// The factor 160 is that of the worst JSON there is, maps in maps in maps; a usual report takes a
/// few times its size. Unless there are [limits](crate::Limits), nothing says how much is stored over
/// time, and whoever reaches the server can fill the disk. What the limits are counted with takes 16 MiB
/// at most, and the variety of products 32 bytes for each key and text that they allow for one, times 257.
///
/// ```
/// use usage_server::{Config, Database};
///
/// let config = Config::new(Database::file("usage.db"))
///     .body_limit(256 * 1024)
///     .on_request(|request| eprintln!("{request}"));
/// ```
#[derive(Clone)]
pub struct Config {
    pub(crate) database: Database,
    pub(crate) faults: Faults,
    pub(crate) terms: Terms,
    pub(crate) log: Option<Arc<LogFn>>,
    pub(crate) events: Events,
    pub(crate) body_limit: usize,
    pub(crate) first_byte_deadline: Duration,
    pub(crate) head_deadline: Duration,
    pub(crate) body_deadline: Duration,
    pub(crate) write_deadline: Duration,
    pub(crate) drain_deadline: Duration,
    pub(crate) connections: usize,
    pub(crate) connections_per_address: Option<usize>,
    pub(crate) queue: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) retention: Retention,
}

/// Longer than any deadline needs to be, and short enough to be added to the time of day.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(crate) type LogFn = dyn Fn(&RequestLog) + Send + Sync;

impl Config {
    /// The defaults, over a database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            faults: Faults::new(),
            terms: Terms::new(),
            log: None,
            events: Events::default(),
            body_limit: 1024 * 1024,
            first_byte_deadline: Duration::from_secs(5),
            head_deadline: Duration::from_secs(30),
            body_deadline: Duration::from_secs(30),
            write_deadline: Duration::from_secs(30),
            drain_deadline: Duration::from_secs(10),
            connections: 512,
            connections_per_address: None,
            queue: store::QUEUE,
            queue_bytes: store::QUEUE_BYTES,
            retention: Retention::default(),
        }
    }

    /// Starts with these faults.
    #[must_use]
    pub fn faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Who may register at `GET /start`; nobody unless set.
    #[must_use]
    pub fn registration(self, registration: Registration) -> Self {
        Self { terms: self.terms.registration(registration), ..self }
    }

    /// Where a browser may be sent back to after a registration; this machine alone unless set.
    #[must_use]
    pub fn redirects(self, redirects: Redirects) -> Self {
        Self { terms: self.terms.redirects(redirects), ..self }
    }

    /// What is taken, and from whom: [`registration`](Self::registration) and
    /// [`redirects`](Self::redirects) too. It can be [changed](crate::Server::set_terms) later.
    #[must_use]
    pub fn terms(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    /// Called once for each request, when its answer is ready. It runs on the threads that answer:
    /// it must be quick.
    #[must_use]
    pub fn on_request(self, log: impl Fn(&RequestLog) + Send + Sync + 'static) -> Self {
        Self { log: Some(Arc::new(log)), ..self }
    }

    /// Called when something happens to the server itself, such as the loss of its database. It runs
    /// on a thread that others wait for: it must be quick.
    #[must_use]
    pub fn on_event(self, tell: impl Fn(&ServerEvent) + Send + Sync + 'static) -> Self {
        Self { events: Events(Some(Arc::new(tell))), ..self }
    }

    /// The largest body that is taken, in bytes; 1 MiB unless set. Above it the answer is 413.
    ///
    /// A report is stored with its empty tags and values written out, and may be twice as large
    /// then. Above that the answer is 422: a list of 300,000 empty items is no report.
    #[must_use]
    pub fn body_limit(self, bytes: usize) -> Self {
        Self { body_limit: bytes, ..self }
    }

    /// How long a new connection may say nothing; 5 seconds unless set.
    #[must_use]
    pub fn first_byte_deadline(self, deadline: Duration) -> Self {
        Self { first_byte_deadline: deadline.min(FOREVER), ..self }
    }

    /// How long the head of a request may take, counted from the opening of the connection or from
    /// the answer before; 30 seconds unless set. An idle connection is closed after it too.
    #[must_use]
    pub fn head_deadline(self, deadline: Duration) -> Self {
        Self { head_deadline: deadline.min(FOREVER), ..self }
    }

    /// How long the body of a request may take once its head is there, and until the server has come
    /// to look at it; 30 seconds unless set. Where the others take that long, the answer is 500 with
    /// `Retry-After`.
    #[must_use]
    pub fn body_deadline(self, deadline: Duration) -> Self {
        Self { body_deadline: deadline.min(FOREVER), ..self }
    }

    /// How long a client may read nothing of an answer that waits for it; 30 seconds unless set.
    /// Then its connection is closed.
    #[must_use]
    pub fn write_deadline(self, deadline: Duration) -> Self {
        Self { write_deadline: deadline.min(FOREVER), ..self }
    }

    /// How long [`Server::shutdown`](crate::Server::shutdown) waits for requests in flight;
    /// 10 seconds unless set.
    #[must_use]
    pub fn drain_deadline(self, deadline: Duration) -> Self {
        Self { drain_deadline: deadline.min(FOREVER), ..self }
    }

    /// How many connections may be open at once; 512 unless set, and at least one.
    ///
    /// If there is one more, a connection has to go that others keep out for no use: the one that
    /// has waited longest for the head of a request, and for a second at least; if there is none,
    /// the one that has waited longest for its body, and for two seconds at least. As long as all
    /// of them wait for their answer, the new one waits to be served.
    #[must_use]
    pub fn connections(self, most: usize) -> Self {
        Self { connections: most.max(1), ..self }
    }

    /// How many of the [`connections`](Self::connections) may come from one address, and at least
    /// one. All of one IPv6 network (a /64) are one address.
    ///
    /// Unless set, it is a quarter of them, and all of them from a loopback address: that is where
    /// a proxy on the same machine connects from, for everybody. For a proxy on another machine set
    /// it to as many as the proxy opens at once. If there is one more, another connection from the
    /// same address has to go, as above, or else the new one is closed.
    #[must_use]
    pub fn connections_per_address(self, most: usize) -> Self {
        Self { connections_per_address: Some(most.max(1)), ..self }
    }

    /// How many reports may wait for the database; 1024 unless set, and at least one. Beyond it
    /// the answer is 500 with `Retry-After`. As a connection has one request in flight, this only comes to matter if
    /// it is below [`connections`](Self::connections).
    #[must_use]
    pub fn queue(self, most: usize) -> Self {
        Self { queue: most.max(1), ..self }
    }

    /// How many bytes of reports may wait for the database; 64 MiB unless set. Beyond it a request
    /// waits before its body is looked at, until its [deadline](Self::body_deadline). A report that is larger than
    /// this waits until it is alone.
    #[must_use]
    pub fn queue_bytes(self, most: usize) -> Self {
        Self { queue_bytes: most, ..self }
    }

    /// How long reports are kept; for ever unless set. What is older is deleted in small slices, and
    /// its room is given back to the disk.
    #[must_use]
    pub fn retention(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("database", &self.database)
            .field("faults", &self.faults)
            .field("terms", &self.terms)
            .field("body_limit", &self.body_limit)
            .field("first_byte_deadline", &self.first_byte_deadline)
            .field("head_deadline", &self.head_deadline)
            .field("body_deadline", &self.body_deadline)
            .field("write_deadline", &self.write_deadline)
            .field("drain_deadline", &self.drain_deadline)
            .field("connections", &self.connections)
            .field("connections_per_address", &self.connections_per_address)
            .field("queue", &self.queue)
            .field("queue_bytes", &self.queue_bytes)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
