//! Who sends a request, and whether a key is known.

use rusqlite::{OptionalExtension, params};

use super::error::StoreError;
use super::reader_pool::ReaderPool;
use super::row::Purpose;
use super::sql;
use super::token_hash::TokenHash;

/// Whose token a request has.
#[derive(Debug)]
pub(crate) enum Sender {
    Unknown,
    Known { token_id: i64, organisation: String },
}

pub(super) fn look_up(readers: &ReaderPool, token: TokenHash) -> Result<Sender, StoreError> {
    readers.with(|connection| {
        let known = connection
            .prepare_cached(sql::TOKEN)?
            .query_row(params![token.as_bytes()], |row| {
                Ok(Sender::Known { token_id: row.get(0)?, organisation: row.get(1)? })
            })
            .optional()?;
        Ok(known.unwrap_or(Sender::Unknown))
    })
}

/// What the first report with a key was for.
pub(super) fn first_with_key(
    readers: &ReaderPool,
    token_id: Option<i64>,
    key: &str,
) -> Result<Option<Purpose>, StoreError> {
    readers.with(|connection| {
        connection
            .prepare_cached(sql::FIRST_WITH_KEY)?
            .query_row(params![token_id, key], |row| {
                Ok(Purpose { kind: row.get(0)?, product: row.get(1)? })
            })
            .optional()
    })
}

pub(super) fn has_token(readers: &ReaderPool, organisation: &str) -> Result<bool, StoreError> {
    readers.with(|connection| {
        connection
            .prepare_cached(sql::HAS_TOKEN)?
            .query_row(params![organisation], |row| row.get(0))
    })
}
