//! Who sends a request.

use rusqlite::{OptionalExtension, params};

use super::error::StoreError;
use super::reader_pool::ReaderPool;
use super::row::Kind;
use super::sql;
use super::token_hash::TokenHash;

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

pub(super) fn look_up(
    readers: &ReaderPool,
    token: Option<TokenHash>,
    key: Option<&str>,
) -> Result<Sender, StoreError> {
    readers.with(|connection| {
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
