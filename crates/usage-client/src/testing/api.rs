//! The API of a test.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;
use usage_proto::{Api, BaseUrl, InvalidBaseUrl, Server, Stats, Token, Usage};
use usage_server::{Config, Database, Registration, ServerError, StoreError};

use super::arrivals::Arrived;
use super::fault::{Fault, Route};
use super::front::Front;
use super::life::{Life, VirtualClock};
use crate::reporting::collect::{Collect, Plain};
use crate::reporting::{Reporting, StartError};

/// A Usage API in this process, over an empty database of its own. All of it ends when this is
/// dropped.
///
/// Its methods block, for milliseconds as a rule, and [`wait_for`](Self::wait_for) as long as it is
/// told to.
pub struct TestApi {
    // Dropped in this order: the front, the server, the files.
    front: Front,
    server: usage_server::Server,
    url: BaseUrl,
    clock: VirtualClock,
    folder: TempDir,
}

/// A report that was stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stored<T> {
    /// The idempotency key that it came with.
    pub key: Option<String>,
    /// Whose token came with it.
    pub organisation: Option<String>,
    /// What was reported.
    pub report: T,
}

/// # Construct
impl TestApi {
    /// Listens on a free port of this machine. Registration is open.
    ///
    /// # Errors
    ///
    /// [`TestApiError`] if the system gives no port, thread or file.
    pub fn start() -> Result<Self, TestApiError> {
        let config = Config::new(Database::temporary()).registration(Registration::Open);
        let server = usage_server::Server::bind("127.0.0.1:0", config)?;
        let behind = usage_ureq::Client::new(Api::new(server.url().parse()?))
            .map_err(|error| io::Error::other(format!("{error}")))?;
        let front = Front::start(behind, server.url())?;
        let url = format!("http://{}", front.address).parse()?;
        let clock = Arc::new(Mutex::new((Instant::now(), SystemTime::now())));
        Ok(Self { front, server, url, clock, folder: TempDir::new()? })
    }

    /// A product that reports here, every 12 hours: consent is given, whatever the environment says,
    /// and there is a place for its state, which is the same for each product of this name. Change what
    /// a test is about.
    pub fn reporting(&self, product: &str, version: &str) -> Reporting {
        let file = product.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        Reporting::new(product, version)
            .setting(Some(true))
            .url(self.url.clone())
            .state_file(self.folder.path().join(file).join("usage.json"))
    }

    /// Runs a product in virtual time. Where its consent is off, nothing happens in it.
    ///
    /// # Errors
    ///
    /// [`StartError`], as [`Reporting::start`] has it.
    pub fn live<C: Collect<Plain>>(
        &self,
        reporting: &Reporting,
        collect: C,
    ) -> Result<Life<C>, StartError> {
        Life::new(reporting, collect, Arc::clone(&self.clock))
    }
}

/// # Faults
impl TestApi {
    /// The next `times` requests of a route have this fault, behind those that were asked for before.
    pub fn fault(&self, route: Route, fault: Fault, times: u32) {
        self.front.desk.plan.add(route, fault, times);
    }

    /// There are no faults to come.
    pub fn clear_faults(&self) {
        self.front.desk.plan.clear();
    }
}

/// # Inspect
impl TestApi {
    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// Makes a token for an organisation.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored.
    pub fn create_token(&self, organisation: &str) -> Result<Token, StoreError> {
        self.server.create_token(organisation)
    }

    /// Every request that has arrived, in this order.
    #[must_use]
    pub fn arrived(&self) -> Vec<Arrived> {
        self.front.desk.arrivals.requests()
    }

    /// Waits until as many reports are stored, or as many requests to be forgotten were carried out, `limit` at the most, and tells whether they are.
    #[must_use]
    pub fn wait_for(&self, route: Route, count: usize, limit: Duration) -> bool {
        self.front.desk.arrivals.wait_for(route, count, limit)
    }

    /// The servers that have registered.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if they could not be read.
    pub fn servers(&self) -> Result<Vec<Stored<Server>>, StoreError> {
        Ok(self.with_keys(self.server.store().servers().read_all()?))
    }

    /// The statistics that are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if they could not be read.
    pub fn stats(&self) -> Result<Vec<Stored<Stats>>, StoreError> {
        Ok(self.with_keys(self.server.store().stats().read_all()?))
    }

    /// The usage that is stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub fn usage(&self) -> Result<Vec<Stored<Usage>>, StoreError> {
        Ok(self.with_keys(self.server.store().usage().read_all()?))
    }

    fn with_keys<T>(&self, rows: Vec<usage_server::Stored<T>>) -> Vec<Stored<T>> {
        let stored = |row| {
            let usage_server::Stored { organisation, report, position, .. } = row;
            Stored { key: self.front.desk.arrivals.key(position), organisation, report }
        };
        rows.into_iter().map(stored).collect()
    }
}

impl fmt::Debug for TestApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApi").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The API of a test could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestApiError {
    /// The server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The front before it, or a folder for states.
    #[error("the system gives no port, thread or folder for a test: {0}")]
    Io(#[from] io::Error),
    /// The address is not one that a client can be told.
    #[error(transparent)]
    Url(#[from] InvalidBaseUrl),
}
