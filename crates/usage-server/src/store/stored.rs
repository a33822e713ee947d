//! What is stored, read back.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use serde::de::DeserializeOwned;
use usage_proto::{Server, Stats, Usage};

use super::error::StoreError;
use super::reader_pool::ReaderPool;
use super::sql;

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

pub(super) fn servers(readers: &ReaderPool) -> Result<Vec<Stored<Server>>, StoreError> {
    reports(readers, sql::SERVERS, |row| {
        Ok(Server::new()
            .product(row.get::<_, String>(3)?)
            .cluster_id(row.get::<_, String>(4)?)
            .server_id(row.get::<_, String>(5)?)
            .host(row.get::<_, String>(6)?)
            .version(row.get::<_, String>(7)?))
    })
}

pub(super) fn stats(readers: &ReaderPool) -> Result<Vec<Stored<Stats>>, StoreError> {
    reports(readers, sql::STATS, |row| {
        let mut stats = Stats::new(row.get::<_, String>(3)?)
            .cluster_id(row.get::<_, String>(4)?)
            .server_id(row.get::<_, String>(5)?);
        stats.data = row.get::<_, Json<_>>(6)?.0;
        Ok(stats)
    })
}

pub(super) fn usage(readers: &ReaderPool) -> Result<Vec<Stored<Usage>>, StoreError> {
    reports(readers, sql::USAGE, |row| {
        let mut usage = Usage::new(row.get::<_, String>(3)?);
        usage.data = row.get::<_, Json<_>>(4)?.0;
        Ok(usage)
    })
}

fn reports<T>(
    readers: &ReaderPool,
    sql: &str,
    report: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<Stored<T>>, StoreError> {
    readers.with(|connection| {
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

/// A column that holds JSON.
struct Json<T>(T);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}
