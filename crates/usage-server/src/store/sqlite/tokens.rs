//! Tokens: listed, ended, replaced, removed.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::time_text::time_text;
use crate::store::token::{StoredToken, TokenChange, TokenChoice};
use crate::store::token_hash::TokenHash;

/// An organisation that was removed has no name, and its tokens are not listed.
const LIST: &str = "\
    SELECT id, organisation, created_at, ends_at, ifnull(ends_at <= ?1, 0), email
    FROM token LEFT JOIN registration ON token_id = id
    WHERE organisation <> '' ORDER BY id";

const ID: &str = "SELECT id FROM token WHERE hash = ?1 AND organisation <> ''";

/// An end is never put off.
const END_ONE: &str = "\
    UPDATE token SET ends_at = min(ifnull(ends_at, ?2), ?2) WHERE id = ?1 AND organisation <> ''";

const END_ALL: &str = "\
    UPDATE token SET ends_at = min(ifnull(ends_at, ?2), ?2) WHERE organisation = ?1";

/// Nothing replaces what is refused already.
const INSERT_BESIDE: &str = "\
    INSERT INTO token (hash, organisation, created_at)
    SELECT ?2, organisation, ?3 FROM token
    WHERE id = ?1 AND organisation <> '' AND (ends_at IS NULL OR ends_at > ?3)";

const COPY_REGISTRATION: &str = "\
    INSERT INTO registration (token_id, email, cluster_id, product)
    SELECT ?2, email, cluster_id, product FROM registration WHERE token_id = ?1";

const FORGET_REGISTRATIONS: &str = "\
    DELETE FROM registration
    WHERE token_id IN (SELECT id FROM token WHERE organisation = ?1)";

/// The row stays, so that the token is refused and its reports keep their place.
const REMOVE: &str = "\
    UPDATE token SET organisation = '', ends_at = min(ifnull(ends_at, ?2), ?2)
    WHERE organisation = ?1";

pub(super) fn list(connection: &Connection) -> rusqlite::Result<Vec<StoredToken>> {
    connection
        .prepare_cached(LIST)?
        .query_map(params![time_text(SystemTime::now())], |row| {
            Ok(StoredToken {
                id: row.get(0)?,
                organisation: row.get(1)?,
                created_at: row.get(2)?,
                ends_at: row.get(3)?,
                has_ended: row.get(4)?,
                email: row.get(5)?,
            })
        })?
        .collect()
}

pub(super) fn id(connection: &Connection, hash: TokenHash) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached(ID)?.query_row(params![hash.as_bytes()], |row| row.get(0)).optional()
}

/// Returns how many tokens it was about.
pub(super) fn change(connection: &Connection, change: &TokenChange) -> rusqlite::Result<usize> {
    let now = SystemTime::now();
    let in_text = |wait: Duration| time_text(now.checked_add(wait).unwrap_or(now));
    let at = in_text(Duration::ZERO);
    match change {
        TokenChange::End(TokenChoice::Id(id)) => connection.execute(END_ONE, params![id, at]),
        TokenChange::End(TokenChoice::Organisation(name)) => {
            connection.execute(END_ALL, params![name, at])
        }
        TokenChange::Replace { id, by, overlap } => {
            let made = connection.execute(INSERT_BESIDE, params![id, by.as_bytes(), at])?;
            if made > 0 {
                let new = connection.last_insert_rowid();
                connection.execute(COPY_REGISTRATION, params![id, new])?;
                connection.execute(END_ONE, params![id, in_text(*overlap)])?;
            }
            Ok(made)
        }
        TokenChange::Remove { organisation } => {
            connection.execute(FORGET_REGISTRATIONS, params![organisation])?;
            connection.execute(REMOVE, params![organisation, at])
        }
    }
}
