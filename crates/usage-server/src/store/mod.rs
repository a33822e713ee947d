//! The narrow door to a database: nothing outside this module knows which one it is.

mod backend;
mod batch;
mod census;
pub(crate) mod database;
pub(crate) mod erasure;
pub(crate) mod error;
pub(crate) mod figures;
pub(crate) mod forgetting;
pub(crate) mod instance;
pub(crate) mod kind;
mod known_tokens;
pub(crate) mod metrics;
pub(crate) mod moving;
pub(crate) mod name_length;
mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
pub(crate) mod postgres_address;
mod refusals;
pub(crate) mod registrant;
pub(crate) mod retention;
pub(crate) mod room;
pub(crate) mod row;
pub(crate) mod selection;
pub(crate) mod sender;
pub(crate) mod server_of_cluster;
mod sqlite;
mod store_tokens;
pub(crate) mod stored;
pub(crate) mod summary;
mod target;
mod time_text;
pub(crate) mod token;
pub(crate) mod token_hash;
mod upkeep;
mod write_queue;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use usage_proto::{Payload, Server, Stats, Usage};

use crate::commit_meter::CommitMeter;
use crate::config::Config;
use crate::event::Events;
use backend::Backend;
use batch::{Done, Job, Reply, Work};
use census::{Census, Counted};
use database::Database;
use error::StoreError;
use figures::{Figures, LatestFigures};
use kind::Kind;
use known_tokens::KnownTokens;
use metrics::{Counters, Metrics};
use refusals::PendingRefusals;
use retention::Retention;
use room::{Place, Room};
use row::{Purpose, Report};
use selection::Selection;
use sender::Sender;
use stored::Rows;
use token_hash::TokenHash;
use upkeep::{Upkeep, UpkeepOptions};
use write_queue::WriteQueue;

/// How many writes may wait unless [`Config::queue`](crate::Config::queue) says otherwise.
pub(crate) const QUEUE: usize = 1024;

/// How many bytes of reports may wait unless
/// [`Config::queue_bytes`](crate::Config::queue_bytes) says otherwise.
pub(crate) const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// How long the files of a database are not looked at, if nothing is written.
const WATCH: Duration = Duration::from_secs(30);

/// How a store is to run.
#[derive(Debug, Clone)]
pub(crate) struct StoreOptions {
    pub(crate) queue: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) watch: Duration,
    pub(crate) events: Events,
    pub(crate) commits: CommitMeter,
    /// How long reports are kept.
    pub(crate) retention: Retention,
    /// How often reports and refusals are counted, if they are.
    pub(crate) census: Option<Duration>,
}

impl StoreOptions {
    pub(crate) fn of(config: &Config) -> Self {
        let (queue, queue_bytes) = (config.queue, config.queue_bytes);
        let (events, commits) = (config.events.clone(), CommitMeter::default());
        let (retention, census) = (config.retention, Some(census::REST));
        Self { queue, queue_bytes, watch: WATCH, events, commits, retention, census }
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        let (events, commits, retention, census) = Default::default();
        let (queue, queue_bytes) = (QUEUE, QUEUE_BYTES);
        Self { queue, queue_bytes, watch: WATCH, events, commits, retention, census }
    }
}

/// The tokens and reports of a Usage API, in one database.
///
/// A clone is another handle to the same. It can be used without a [`Server`](crate::Server), and
/// beside one: several processes may have the same database open.
///
/// Its methods block, for milliseconds as a rule. In async code they belong into
/// `spawn_blocking`.
///
/// ```
/// use usage_server::{Database, Store};
///
/// let store = Store::open(&Database::temporary())?;
/// let token = store.create_token("Example Inc.")?;
/// assert!(store.usage().next().is_none());
/// # Ok::<(), usage_server::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// It is stored, now or by an attempt before.
    Once,
    /// Its key belongs to a report of another kind, or for another product.
    KeyTaken,
    /// Its token has ended since it was looked up.
    TokenEnded,
}

#[derive(Debug)]
struct Inner {
    // The threads go first: they have the backend too.
    /// There is none where everything is kept for ever.
    _upkeep: Option<Upkeep>,
    /// There is none without a server.
    _census: Option<Census>,
    queue: WriteQueue,
    room: Room,
    backend: Arc<dyn Backend>,
    counters: Arc<Counters>,
    known: KnownTokens,
    refusals: Arc<PendingRefusals>,
    figures: Arc<LatestFigures>,
}

impl Store {
    /// Opens a database, and creates it or brings its tables up to date.
    ///
    /// # Errors
    ///
    /// A file that may not be this program's own is not opened: [`StoreError::File`]. One that is
    /// not `SQLite`, is another program's, was changed by somebody, or was written by a newer
    /// version is left as it is: [`StoreError::NotADatabase`], [`StoreError::Foreign`],
    /// [`StoreError::Altered`], [`StoreError::Newer`]. Otherwise [`StoreError::Open`],
    /// [`StoreError::Connect`] or [`StoreError::Temporary`].
    pub fn open(database: &Database) -> Result<Self, StoreError> {
        Self::open_with(database, &StoreOptions::default())
    }

    /// Opens a database that is there, and makes none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if it is not there; otherwise those of [`open`](Self::open).
    pub fn open_existing(database: &Database) -> Result<Self, StoreError> {
        open::must_exist(database)?;
        Self::open(database)
    }

    pub(crate) fn open_with(
        database: &Database,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let backend = open::open(database)?;
        let counters = Arc::<Counters>::default();
        let queue = WriteQueue::start(backend.clone(), counters.clone(), options)?;
        let room = Room::new(options.queue_bytes);
        let upkeep = if options.retention.is_forever() {
            None
        } else {
            let upkeep = UpkeepOptions::new(options.retention, options.events.clone());
            Some(Upkeep::start(backend.clone(), counters.clone(), upkeep)?)
        };
        let (refusals, figures) =
            (Arc::<PendingRefusals>::default(), Arc::<LatestFigures>::default());
        let census = match options.census {
            None => None,
            Some(rest) => {
                let (refusals, figures) = (refusals.clone(), figures.clone());
                let (backend, events) = (backend.clone(), options.events.clone());
                let counted = Counted { backend, refusals, figures, events };
                Some(Census::start(counted, rest)?)
            }
        };
        let inner = Inner {
            _upkeep: upkeep,
            _census: census,
            queue,
            room,
            backend,
            counters,
            known: KnownTokens::default(),
            refusals,
            figures,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The servers that registered, oldest first.
    pub fn servers(&self) -> Rows<Server> {
        stored::servers(self, Selection::new().kind(Kind::Server))
    }

    /// The statistics that came, oldest first.
    pub fn stats(&self) -> Rows<Stats> {
        stored::all_stats(self, Selection::new().kind(Kind::Stats))
    }

    /// The usage that came, oldest first.
    pub fn usage(&self) -> Rows<Usage> {
        stored::all_usage(self, Selection::new().kind(Kind::Usage))
    }

    /// The reports of a selection, of whatever kind, oldest first.
    ///
    /// Whoever goes on later selects those [after](Selection::after) the last position that was
    /// read, and gets each report once.
    pub fn reports(&self, selection: Selection) -> Rows<Payload> {
        stored::reports(self, selection)
    }

    /// Copies what is stored by now into a new file, while servers run; returns its size in bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if the file is there; [`StoreError::File`], [`StoreError::Open`] or
    /// [`StoreError::Write`].
    pub fn backup(&self, to: &Path) -> Result<u64, StoreError> {
        self.backend().backup(to)
    }

    /// What was done since the store was opened.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.inner.counters.snapshot()
    }

    /// What is known of the database as a whole, of a minute ago at most. It asks no database.
    pub(crate) fn figures(&self) -> Option<Figures> {
        self.inner.figures.get()
    }

    /// Reports of a kind that were pruned since the store was opened.
    pub(crate) fn pruned(&self, kind: Kind) -> u64 {
        self.inner.counters.pruning.of(kind)
    }

    /// Whether the thread is there that stores reports.
    pub(crate) fn is_open(&self) -> bool {
        self.inner.queue.is_running()
    }

    /// The database file, as a path that means the same in every working directory; the address of a
    /// database that is not a file, without a password.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.inner.backend.path()
    }

    /// Whose token it is, if it was looked up a moment ago.
    pub(crate) fn known_sender(&self, token: TokenHash) -> Option<Sender> {
        self.inner.known.get(token)
    }

    /// Whose token it is. Blocks.
    pub(crate) fn sender(&self, token: TokenHash) -> Result<Sender, StoreError> {
        let asked = Instant::now();
        let sender = self.inner.backend.sender(token)?;
        self.inner.known.put(token, asked, &sender);
        Ok(sender)
    }

    /// What the first report with a key was for. Blocks.
    pub(crate) fn first_with_key(
        &self,
        token_id: Option<i64>,
        key: &str,
    ) -> Result<Option<Purpose>, StoreError> {
        self.inner.backend.first_with_key(token_id, key)
    }

    /// Waits for room for a report of this size, to be taken before the report is read.
    pub(crate) async fn room(&self, bytes: usize) -> Result<Place, StoreError> {
        self.inner.room.take(bytes).await
    }

    /// Stores a report, unless its key is known, and returns when that is durable.
    pub(crate) async fn save(&self, report: Report) -> Result<Saved, StoreError> {
        Ok(match self.write(Work::Report(report)).await? {
            Done::KeyTaken => Saved::KeyTaken,
            Done::TokenEnded => {
                self.inner.known.clear();
                Saved::TokenEnded
            }
            Done::Stored | Done::Repeated | Done::Nothing => Saved::Once,
        })
    }

    /// Returns when everything sent before is durable, if the database would take a write.
    pub(crate) async fn barrier(&self) -> Result<(), StoreError> {
        self.write(Work::Barrier).await.map(drop)
    }

    async fn write(&self, work: Work) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.inner.queue.try_send(Job { work, reply: Reply::Task(Handle::current(), reply) })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    fn backend(&self) -> &dyn Backend {
        &*self.inner.backend
    }

    /// A row that says what cannot be read.
    fn not_read(&self, error: serde_json::Error) -> StoreError {
        StoreError::Read { path: self.path().to_owned(), source: Arc::new(error) }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::database::Database;
    use super::{Store, StoreOptions};
    use crate::event::{Events, ServerEvent};

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Nobody writes, and it is noticed all the same.
    #[test]
    fn a_database_that_goes_is_noticed_while_nothing_happens() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usage.db");
        let (events, told) = channel();
        let tell = move |event: &ServerEvent| drop(events.send(event.clone()));
        let options = StoreOptions {
            watch: Duration::from_millis(1),
            events: Events(Some(Arc::new(tell))),
            ..StoreOptions::default()
        };
        assert!(StoreOptions::default().watch <= Duration::from_secs(60));
        let store = Store::open_with(&Database::file(&path), &options).unwrap();
        fs::rename(&path, directory.path().join("away")).unwrap();
        let event = told.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(event, ServerEvent::DatabaseGone(_)), "{event:?}");
        fs::rename(directory.path().join("away"), &path).unwrap();
        let event = told.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(event, ServerEvent::DatabaseBack { .. }), "{event:?}");
        drop(store);
        assert!(told.try_recv().is_err());
    }
}
