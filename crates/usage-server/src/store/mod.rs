//! The narrow door to `SQLite`: nothing outside this module knows a statement or a connection.

pub(crate) mod database;
mod database_files;
pub(crate) mod error;
pub(crate) mod metrics;
mod reader_pool;
pub(crate) mod registrant;
pub(crate) mod room;
pub(crate) mod row;
mod schema;
pub(crate) mod sender;
mod sql;
pub(crate) mod stored;
pub(crate) mod token_hash;
mod write_queue;
mod writer;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::oneshot;
use usage_files::Accept;
use usage_proto::{Server, Stats, Token, Usage};

use crate::commit_meter::CommitMeter;
use crate::config::Config;
use crate::event::Events;
use database::{Database, Location};
use database_files::DatabaseFiles;
use error::StoreError;
use metrics::{Counters, Metrics};
use reader_pool::ReaderPool;
use registrant::Registrant;
use room::{Place, Room};
use row::{Purpose, Report};
use sender::Sender;
use stored::Stored;
use token_hash::TokenHash;
use write_queue::WriteQueue;
use writer::{Done, Job, Reply, Work};

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
}

impl StoreOptions {
    pub(crate) fn of(config: &Config) -> Self {
        let (queue, queue_bytes) = (config.queue, config.queue_bytes);
        let (events, commits) = (config.events.clone(), CommitMeter::default());
        Self { queue, queue_bytes, watch: WATCH, events, commits }
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        let (events, commits) = Default::default();
        Self { queue: QUEUE, queue_bytes: QUEUE_BYTES, watch: WATCH, events, commits }
    }
}

/// The tokens and reports of a Usage API, in one `SQLite` file.
///
/// A clone is another handle to the same. It can be used without a [`Server`](crate::Server), and
/// beside one: several processes may have the same file open.
///
/// Its methods block, for milliseconds as a rule. In async code they belong into
/// `spawn_blocking`.
///
/// ```
/// use usage_server::{Database, Store};
///
/// let store = Store::open(&Database::temporary())?;
/// let token = store.create_token("Example Inc.")?;
/// assert!(store.usage()?.is_empty());
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
}

#[derive(Debug)]
struct Inner {
    // Fields go in this order: the writer, then the readers, then the directory of their files.
    queue: WriteQueue,
    room: Room,
    readers: ReaderPool,
    files: Arc<DatabaseFiles>,
    counters: Arc<Counters>,
    _directory: Option<TempDir>,
}

impl Store {
    /// Opens a database, and creates it or brings its tables up to date.
    ///
    /// # Errors
    ///
    /// A file that may not be this program's own is not opened: [`StoreError::File`]. One that is
    /// not `SQLite`, is another program's, was changed by somebody, or was written by a newer
    /// version is left as it is: [`StoreError::NotADatabase`], [`StoreError::Foreign`],
    /// [`StoreError::Altered`], [`StoreError::Newer`]. Otherwise [`StoreError::Open`] or
    /// [`StoreError::Temporary`].
    pub fn open(database: &Database) -> Result<Self, StoreError> {
        Self::open_with(database, &StoreOptions::default())
    }

    pub(crate) fn open_with(
        database: &Database,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let (files, directory) = find(database)?;
        let files = Arc::new(files);
        let connection = schema::open_writer(&files)?;
        let counters = Arc::<Counters>::default();
        let queue = WriteQueue::start(connection, files.clone(), counters.clone(), options)?;
        let readers = ReaderPool::new(files.clone());
        let room = Room::new(options.queue_bytes);
        let inner = Inner { queue, room, readers, files, counters, _directory: directory };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a token for an organisation, durable when this returns.
    ///
    /// Only its SHA-256 is stored: nobody can read the token again, so hand it on now. An
    /// organisation may have several.
    ///
    /// # Errors
    ///
    /// [`StoreError::BlankOrganisation`], [`StoreError::Random`], [`StoreError::Write`] or
    /// [`StoreError::Closed`].
    pub fn create_token(&self, organisation: &str) -> Result<Token, StoreError> {
        let organisation = organisation.trim();
        if organisation.is_empty() {
            return Err(StoreError::BlankOrganisation);
        }
        self.issue_token(organisation.to_owned(), None)
    }

    /// The same for somebody who has filled in the form.
    pub(crate) fn register(&self, registrant: &Registrant) -> Result<Token, StoreError> {
        self.issue_token(registrant.organisation.clone(), Some(registrant.clone()))
    }

    fn issue_token(
        &self,
        organisation: String,
        registrant: Option<Registrant>,
    ) -> Result<Token, StoreError> {
        let token = random_token()?;
        let hash = TokenHash::of(token.expose().as_bytes());
        let work = Work::Token { hash, organisation, registrant };
        let (reply, answer) = sync_channel(1);
        self.inner.queue.send(Job { work, reply: Reply::Thread(reply) })?;
        answer.recv().map_err(|_| StoreError::Closed)??;
        Ok(token)
    }

    /// Whether there is a token for an organisation.
    ///
    /// ```
    /// use usage_server::{Database, Store};
    ///
    /// let store = Store::open(&Database::temporary())?;
    /// assert!(!store.has_token("Example Inc.")?);
    /// store.create_token("Example Inc.")?;
    /// assert!(store.has_token("Example Inc.")?);
    /// # Ok::<(), usage_server::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn has_token(&self, organisation: &str) -> Result<bool, StoreError> {
        sender::has_token(&self.inner.readers, organisation.trim())
    }

    /// The servers that registered, oldest first, all of them in memory at once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn servers(&self) -> Result<Vec<Stored<Server>>, StoreError> {
        stored::servers(&self.inner.readers)
    }

    /// The statistics that came, oldest first, all of them in memory at once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn stats(&self) -> Result<Vec<Stored<Stats>>, StoreError> {
        stored::stats(&self.inner.readers)
    }

    /// The usage that came, oldest first, all of it in memory at once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn usage(&self) -> Result<Vec<Stored<Usage>>, StoreError> {
        stored::usage(&self.inner.readers)
    }

    /// What was done since the store was opened.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.inner.counters.snapshot()
    }

    /// The database file, as a path that means the same in every working directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.inner.files.path()
    }

    /// Whose token it is. Blocks.
    pub(crate) fn sender(&self, token: TokenHash) -> Result<Sender, StoreError> {
        sender::look_up(&self.inner.readers, token)
    }

    /// What the first report with a key was for. Blocks.
    pub(crate) fn first_with_key(
        &self,
        token_id: Option<i64>,
        key: &str,
    ) -> Result<Option<Purpose>, StoreError> {
        sender::first_with_key(&self.inner.readers, token_id, key)
    }

    /// Waits for room for a report of this size, to be taken before the report is read.
    pub(crate) async fn room(&self, bytes: usize) -> Result<Place, StoreError> {
        self.inner.room.take(bytes).await
    }

    /// Stores a report, unless its key is known, and returns when that is durable.
    pub(crate) async fn save(&self, report: Report) -> Result<Saved, StoreError> {
        Ok(match self.write(Work::Report(report)).await? {
            Done::KeyTaken => Saved::KeyTaken,
            Done::Stored | Done::Repeated | Done::Nothing => Saved::Once,
        })
    }

    /// Returns when everything sent before is durable, if the database would take a write.
    pub(crate) async fn barrier(&self) -> Result<(), StoreError> {
        self.write(Work::Barrier).await.map(drop)
    }

    async fn write(&self, work: Work) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.inner.queue.try_send(Job { work, reply: Reply::Task(reply) })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

fn find(database: &Database) -> Result<(DatabaseFiles, Option<TempDir>), StoreError> {
    match &database.0 {
        Location::File { path, accept } => Ok((DatabaseFiles::find(path, *accept)?, None)),
        Location::Temporary => {
            let directory = tempfile::Builder::new()
                .prefix("usage-server-")
                .tempdir()
                .map_err(|error| StoreError::Temporary { source: Arc::new(error) })?;
            let path = directory.path().join("usage.db");
            Ok((DatabaseFiles::find(&path, Accept::NOTHING)?, Some(directory)))
        }
    }
}

fn random_token() -> Result<Token, StoreError> {
    let random = |source| StoreError::Random { source };
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| random(Arc::new(error)))?;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String can not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Token::new(&text).map_err(|error| random(Arc::new(error)))
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
