//! What is stored, read back page by page.

use std::fmt;
use std::vec;

use serde::de::DeserializeOwned;
use usage_proto::{Payload, Server, Stats, Usage};

use super::Store;
use super::error::StoreError;
use super::instance::Ids;
use super::row::Body;
use super::selection::Selection;

/// A report as it is stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stored<T> {
    /// Where it stands among all reports, of every kind: it grows in the order in which they were
    /// made durable, and is never given twice. What is read after a position leaves out nothing that
    /// is stored later.
    pub position: i64,
    /// When the report was stored: RFC 3339 in UTC with milliseconds, `2026-11-23T08:15:00.123Z`.
    pub received_at: String,
    /// Whose token came with it; `None` without one.
    pub organisation: Option<String>,
    /// Which installation of the product it is about, if it says so.
    pub instance: Option<String>,
    /// What was reported.
    pub report: T,
}

/// Reports in the order of their positions.
///
/// It reads a page at a time: a report that is stored meanwhile comes when its turn does, and the
/// memory that it takes does not grow with the database. After an error it ends.
///
/// Asking for the next one blocks, for milliseconds as a rule.
///
/// ```
/// # use usage_server::{Database, Store};
/// # let store = Store::open(&Database::temporary())?;
/// for stored in store.usage() {
///     let stored = stored?;
///     println!("{}: {}", stored.position, stored.report.product);
/// }
/// # Ok::<(), usage_server::StoreError>(())
/// ```
#[must_use]
pub struct Rows<T> {
    store: Store,
    selection: Selection,
    page: vec::IntoIter<StoredRow>,
    /// Whether it is known where the selection begins.
    begun: bool,
    ended: bool,
    read: fn(String, Body) -> serde_json::Result<T>,
}

/// One row of a page, as a backend gives it.
#[derive(Debug)]
pub(super) struct StoredRow {
    pub(super) position: i64,
    pub(super) received_at: String,
    pub(super) organisation: Option<String>,
    pub(super) instance: Option<String>,
    pub(super) product: String,
    pub(super) body: Body,
}

impl<T> Rows<T> {
    fn new(
        store: &Store,
        selection: Selection,
        read: fn(String, Body) -> serde_json::Result<T>,
    ) -> Self {
        let (begun, ended) = (selection.since.is_none(), false);
        Self { store: store.clone(), selection, page: Vec::new().into_iter(), begun, ended, read }
    }

    /// All that are left, in memory at once: for a database that is known to be small.
    ///
    /// # Errors
    ///
    /// Those that the next one may be: [`StoreError::Open`], [`StoreError::Read`] or
    /// [`StoreError::Gone`].
    pub fn read_all(self) -> Result<Vec<Stored<T>>, StoreError> {
        self.collect()
    }

    fn turn(&mut self) -> Result<Option<StoredRow>, StoreError> {
        if let Some(row) = self.page.next() {
            return Ok(Some(row));
        }
        if !self.begun {
            // What is older is passed over, however much it is.
            let Some(first) = self.store.backend().first_since(&self.selection)? else {
                return Ok(None);
            };
            self.selection.after = self.selection.after.max(first - 1);
            self.begun = true;
        }
        self.page = self.store.backend().page(&self.selection)?.into_iter();
        Ok(self.page.next())
    }

    fn stored(&self, row: StoredRow) -> Result<Stored<T>, StoreError> {
        let StoredRow { position, received_at, organisation, instance, product, body } = row;
        let report = (self.read)(product, body).map_err(|error| self.store.not_read(error))?;
        Ok(Stored { position, received_at, organisation, instance, report })
    }
}

impl<T> Iterator for Rows<T> {
    type Item = Result<Stored<T>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.turn().and_then(|row| {
            let Some(row) = row else { return Ok(None) };
            self.selection.after = row.position;
            self.stored(row).map(Some)
        });
        self.ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("selection", &self.selection)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

pub(super) fn reports(store: &Store, selection: Selection) -> Rows<Payload> {
    Rows::new(store, selection, |product, body| {
        Ok(match body {
            Body::Server { .. } => Payload::Server(server(product, body)?),
            Body::Stats { .. } => Payload::Stats(stats(product, body)?),
            Body::Usage { .. } => Payload::Usage(usage(product, body)?),
        })
    })
}

pub(super) fn servers(store: &Store, selection: Selection) -> Rows<Server> {
    Rows::new(store, selection, server)
}

pub(super) fn all_stats(store: &Store, selection: Selection) -> Rows<Stats> {
    Rows::new(store, selection, stats)
}

pub(super) fn all_usage(store: &Store, selection: Selection) -> Rows<Usage> {
    Rows::new(store, selection, usage)
}

/// The ids that a stored report names.
pub(super) fn ids(product: String, body: Body) -> serde_json::Result<Ids> {
    Ok(match body {
        Body::Server { .. } => Ids::of_server(&server(product, body)?),
        Body::Stats { .. } => Ids::of_stats(&stats(product, body)?),
        Body::Usage { .. } => Ids::of_usage(&usage(product, body)?),
    })
}

fn server(product: String, body: Body) -> serde_json::Result<Server> {
    let Body::Server { cluster_id, server_id, host, version } = body else { return Err(other()) };
    Ok(Server::new()
        .product(product)
        .cluster_id(cluster_id)
        .server_id(server_id)
        .host(host)
        .version(version))
}

fn stats(product: String, body: Body) -> serde_json::Result<Stats> {
    let Body::Stats { cluster_id, server_id, data } = body else { return Err(other()) };
    let mut stats = Stats::new(product).cluster_id(cluster_id).server_id(server_id);
    stats.data = json(&data)?;
    Ok(stats)
}

fn usage(product: String, body: Body) -> serde_json::Result<Usage> {
    let Body::Usage { data } = body else { return Err(other()) };
    let mut usage = Usage::new(product);
    usage.data = json(&data)?;
    Ok(usage)
}

/// A backend gives the kind that was asked for.
fn other() -> serde_json::Error {
    serde::de::Error::custom("the report is of another kind than its row says")
}

fn json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text)
}
