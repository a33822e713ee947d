//! What is stored, read back over connections of its own.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use usage_proto::{Server, Stats, Usage};

use super::error::said;
use super::report::Kind;
use super::{StoreError, TokenHash, schema, sql};

/// How many idle connections are kept.
const IDLE: usize = 4;

/// A report as it is stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stored<T> {
    /// Grows with each report, and is never given twice.
    pub id: i64,
    /// When the report was stored: RFC 3339 in UTC with milliseconds, `2026-11-23T08:15:00.123Z`.
    pub received_at: String,
    /// Whose token came with it; `None` without one.
    pub organisation: Option<String>,
    /// What was reported.
    pub report: T,
}

/// Who sends a request, and whether it was answered before.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) token: TokenState,
    /// What the first report with the idempotency key was.
    pub(crate) first: Option<Kind>,
}

#[derive(Debug)]
pub(crate) enum TokenState {
    None,
    Unknown,
    Known { id: i64, organisation: String },
}

/// Connections that read; WAL lets them do so while the writer writes.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    pub(super) fn sender(
        &self,
        token: Option<TokenHash>,
        key: Option<&str>,
    ) -> Result<Sender, StoreError> {
        self.with(|connection| {
            let token = match token {
                None => TokenState::None,
                Some(hash) => connection
                    .prepare_cached(sql::TOKEN)?
                    .query_row(params![hash.as_bytes()], |row| {
                        Ok(TokenState::Known { id: row.get(0)?, organisation: row.get(1)? })
                    })
                    .optional()?
                    .unwrap_or(TokenState::Unknown),
            };
            let token_id = match token {
                TokenState::None => None,
                TokenState::Known { id, .. } => Some(id),
                TokenState::Unknown => return Ok(Sender { token, first: None }),
            };
            let first = match key {
                None => None,
                Some(key) => connection
                    .prepare_cached(sql::FIRST_WITH_KEY)?
                    .query_row(params![token_id, key], |row| row.get(0))
                    .optional()?,
            };
            Ok(Sender { token, first })
        })
    }

    pub(super) fn servers(&self) -> Result<Vec<Stored<Server>>, StoreError> {
        self.reports(sql::SERVERS, |row| {
            Ok(Server::new()
                .cluster_id(row.get::<_, String>(3)?)
                .server_id(row.get::<_, String>(4)?)
                .host(row.get::<_, String>(5)?)
                .product(row.get::<_, String>(6)?)
                .version(row.get::<_, String>(7)?))
        })
    }

    pub(super) fn stats(&self) -> Result<Vec<Stored<Stats>>, StoreError> {
        self.reports(sql::STATS, |row| {
            let mut stats = Stats::new(row.get::<_, String>(3)?)
                .cluster_id(row.get::<_, String>(4)?)
                .server_id(row.get::<_, String>(5)?);
            stats.data = row.get::<_, Json<_>>(6)?.0;
            Ok(stats)
        })
    }

    pub(super) fn usage(&self) -> Result<Vec<Stored<Usage>>, StoreError> {
        self.reports(sql::USAGE, |row| {
            let mut usage = Usage::new(row.get::<_, String>(3)?);
            usage.data = row.get::<_, Json<_>>(4)?.0;
            Ok(usage)
        })
    }

    fn reports<T>(
        &self,
        sql: &str,
        report: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<Stored<T>>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map([], |row| {
                    Ok(Stored {
                        id: row.get(0)?,
                        received_at: row.get(1)?,
                        organisation: row.get(2)?,
                        report: report(row)?,
                    })
                })?
                .collect()
        })
    }

    fn with<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        let result = query(&connection).map_err(|error| StoreError::Read {
            path: self.path.clone(),
            source: said(&error, &self.path),
        })?;
        let mut idle = idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        Ok(result)
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A column that holds JSON.
struct Json<T>(T);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Kind::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
