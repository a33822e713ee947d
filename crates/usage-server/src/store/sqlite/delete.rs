//! Reports that go, and what goes with them.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::millis::Millis;
use super::packed::Packed;
use super::{product, tally};
use crate::store::backend::Looked;
use crate::store::erasure::Audit;
use crate::store::kind::Kind;
use crate::store::target::Target;
use crate::store::time_text::time_text;

/// How many pages are given back at once: a MiB.
const PAGES: usize = 256;

/// How many free pages are left for what comes next.
const SPARE: i64 = 1024;

const PRODUCTS: &str = "SELECT name FROM product ORDER BY name";

const OF_INSTANCE: &str = "\
    SELECT id FROM report WHERE instance = ?1 AND id > ?2
    UNION
    SELECT report_id FROM other_id WHERE other_id.id = ?1 AND report_id > ?2
    ORDER BY 1 LIMIT ?3";

const COUNT_OF_INSTANCE: &str = "\
    SELECT count(*) FROM (
        SELECT id FROM report WHERE instance = ?1
        UNION SELECT report_id FROM other_id WHERE other_id.id = ?1)";

/// The ids decide, and not how many reports the product has.
macro_rules! of_server {
    ($more:literal, $end:literal) => {
        concat!(
            "SELECT id FROM report
            WHERE instance = ?1 AND +product_id = (SELECT id FROM product WHERE name = ?2)
                AND (?4 AND token_id IS NULL OR token_id = ?5
                    OR token_id IN (SELECT id FROM token WHERE organisation = ?3))",
            $more,
            "
            UNION
            SELECT report.id FROM other_id CROSS JOIN report ON report.id = report_id
            WHERE other_id.id = ?1
                AND product_id = (SELECT id FROM product WHERE name = ?2)
                AND (?4 AND token_id IS NULL OR token_id = ?5
                    OR token_id IN (SELECT id FROM token WHERE organisation = ?3))",
            $more,
            $end
        )
    };
}

const OF_SERVER: &str = of_server!(" AND report.id > ?6", " ORDER BY 1 LIMIT ?7");

const COUNT_OF_SERVER: &str = concat!("SELECT count(*) FROM (", of_server!("", ""), ")");

/// There is no index by token: it would cost each report, and this is asked rarely. The table is
/// read once, from slice to slice.
const OF_ORGANISATION: &str = "\
    SELECT id FROM report
    WHERE id > ?2 AND token_id IN (SELECT id FROM token WHERE organisation = ?1)
    ORDER BY id LIMIT ?3";

const COUNT_OF_ORGANISATION: &str = "\
    SELECT count(*) FROM report
    WHERE token_id IN (SELECT id FROM token WHERE organisation = ?1)";

/// What of a kind and a product is old. The index has these three and the position.
macro_rules! old {
    ($select:literal, $end:literal) => {
        concat!(
            "SELECT ",
            $select,
            " FROM report
            WHERE product_id = (SELECT id FROM product WHERE name = ?1) AND kind = ?2
                AND received_at < ?3",
            $end
        )
    };
}

pub(super) const OLD: &str = old!("id", " ORDER BY received_at, id LIMIT ?4");

const COUNT_OLD: &str = old!("count(*)", "");

const LEAVE_KEY: &str = "\
    INSERT INTO left_key (token_id, key, kind, product, seen_at)
    SELECT ifnull(token_id, 0), idempotency_key, kind,
        (SELECT name FROM product WHERE id = product_id), received_at
    FROM report WHERE id = ?1 AND idempotency_key IS NOT NULL AND received_at >= ?2";

const DELETE: &str = "DELETE FROM report WHERE id = ?1 RETURNING id, kind, product_id";

const FORGET_LEFT: &str = "\
    DELETE FROM left_key WHERE (token_id, key) IN (
        SELECT token_id, key FROM left_key WHERE seen_at < ?1 ORDER BY seen_at LIMIT ?2)";

const KEYS_BEHIND: &str = "\
    SELECT id, received_at < ?2, idempotency_key IS NOT NULL FROM report
    WHERE id > ?1 ORDER BY id LIMIT ?3";

const FORGET: &str = "UPDATE report SET idempotency_key = NULL WHERE id = ?1";

const FORGET_KEYS_OF: &str = "\
    DELETE FROM left_key
    WHERE token_id IN (SELECT id FROM token WHERE organisation = ?1)";

const DELETE_REPORTS_OF: &str = "\
    DELETE FROM report WHERE token_id IN (SELECT id FROM token WHERE organisation = ?1)
    RETURNING id, kind, product_id";

const FORGET_REGISTRATIONS_OF: &str = "\
    DELETE FROM registration WHERE token_id IN (SELECT id FROM token WHERE organisation = ?1)";

/// Their rows stay, with nothing in them: an id is never given twice, not even to a report that waits.
const EMPTY_TOKENS_OF: &str = "\
    UPDATE token SET organisation = '', hash = randomblob(32), ends_at = created_at
    WHERE organisation = ?1";

const INSERT_ERASURE: &str = "\
    INSERT INTO erasure (erased_at, kind, hash, reports, tokens) VALUES (?1, ?2, ?3, ?4, ?5)";

const HOLD: &str = "\
    INSERT INTO upkeep (id, holder, ends_at) VALUES (1, ?1, ?3)
    ON CONFLICT DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at
    WHERE holder = excluded.holder OR ends_at <= ?2";

pub(super) fn products(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(PRODUCTS)?.query_map([], |row| row.get(0))?.collect()
}

pub(super) fn find(
    connection: &Connection,
    target: &Target,
    after: i64,
    most: usize,
) -> rusqlite::Result<Vec<i64>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let id = |row: &Row<'_>| row.get(0);
    match target {
        Target::Instance(name) => connection
            .prepare_cached(OF_INSTANCE)?
            .query_map(params![Packed(name), after, most], id)?
            .collect(),
        Target::Organisation(name) => connection
            .prepare_cached(OF_ORGANISATION)?
            .query_map(params![name, after, most], id)?
            .collect(),
        Target::Server { id: server, product, token_id, organisation, anonymous } => connection
            .prepare_cached(OF_SERVER)?
            .query_map(
                params![Packed(server), product, organisation, anonymous, token_id, after, most],
                id,
            )?
            .collect(),
        Target::Old { kind, product, before } => connection
            .prepare_cached(OLD)?
            .query_map(params![product, kind, Millis::parse(before)?, most], id)?
            .collect(),
    }
}

pub(super) fn count(connection: &Connection, target: &Target) -> rusqlite::Result<i64> {
    let count = |row: &Row<'_>| row.get(0);
    match target {
        Target::Instance(name) => {
            connection.query_row(COUNT_OF_INSTANCE, params![Packed(name)], count)
        }
        Target::Organisation(name) => {
            connection.query_row(COUNT_OF_ORGANISATION, params![name], count)
        }
        Target::Server { id, product, token_id, organisation, anonymous } => connection.query_row(
            COUNT_OF_SERVER,
            params![Packed(id), product, organisation, anonymous, token_id],
            count,
        ),
        Target::Old { kind, product, before } => {
            connection.query_row(COUNT_OLD, params![product, kind, Millis::parse(before)?], count)
        }
    }
}

/// Returns how many of them were there.
pub(super) fn delete(
    connection: &Connection,
    positions: &[i64],
    keep_keys_since: Option<&str>,
) -> rusqlite::Result<usize> {
    let keep_keys_since = keep_keys_since.map(Millis::parse).transpose()?;
    let mut gone = Vec::new();
    for position in positions {
        if let Some(since) = keep_keys_since {
            connection.prepare_cached(LEAVE_KEY)?.execute(params![position, since])?;
        }
        // Its other ids go by their foreign key.
        let deleted = connection.prepare_cached(DELETE)?.query_row(params![position], Gone::read);
        gone.extend(deleted.optional()?);
    }
    follow(connection, &gone)?;
    Ok(gone.len())
}

/// A report that was deleted.
struct Gone {
    position: i64,
    kind: Kind,
    product_id: i64,
}

impl Gone {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { position: row.get(0)?, kind: row.get(1)?, product_id: row.get(2)? })
    }
}

/// What becomes of other tables.
fn follow(connection: &Connection, gone: &[Gone]) -> rusqlite::Result<()> {
    tally::count_off(connection, gone.iter().map(|gone| (gone.position, gone.kind)))?;
    product::remove_unused(connection, gone.iter().map(|gone| gone.product_id).collect())
}

pub(super) fn forget_left_keys(
    connection: &Connection,
    before: &str,
    most: usize,
) -> rusqlite::Result<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    connection.prepare_cached(FORGET_LEFT)?.execute(params![Millis::parse(before)?, most])
}

/// Which reports have keys to be forgotten, and how far that goes.
pub(super) fn old_keys(
    connection: &Connection,
    before: &str,
    after: i64,
    most: usize,
) -> rusqlite::Result<(Vec<i64>, Looked)> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let (mut keyed, mut looked, mut count) = (Vec::new(), Looked { to: after, more: false }, 0);
    let mut statement = connection.prepare_cached(KEYS_BEHIND)?;
    let mut rows = statement.query(params![after, Millis::parse(before)?, limit])?;
    while let Some(row) = rows.next()? {
        if !row.get::<_, bool>(1)? {
            return Ok((keyed, looked));
        }
        looked.to = row.get(0)?;
        if row.get(2)? {
            keyed.push(looked.to);
        }
        count += 1;
    }
    looked.more = count == most;
    Ok((keyed, looked))
}

pub(super) fn forget_keys(connection: &Connection, positions: &[i64]) -> rusqlite::Result<()> {
    for position in positions {
        connection.prepare_cached(FORGET)?.execute(params![position])?;
    }
    Ok(())
}

/// Ends an erasure; returns how many reports came in the last moment.
pub(super) fn close_erasure(connection: &Connection, audit: &Audit) -> rusqlite::Result<usize> {
    let (mut reports, mut tokens) = (0, 0);
    if let Some(name) = &audit.organisation {
        let gone: Vec<_> = connection
            .prepare(DELETE_REPORTS_OF)?
            .query_map(params![name], Gone::read)?
            .collect::<Result<_, _>>()?;
        follow(connection, &gone)?;
        reports = gone.len();
        connection.execute(FORGET_KEYS_OF, params![name])?;
        connection.execute(FORGET_REGISTRATIONS_OF, params![name])?;
        tokens = connection.execute(EMPTY_TOKENS_OF, params![name])?;
    }
    let count = |of: u64| i64::try_from(of).unwrap_or(i64::MAX);
    connection.execute(
        INSERT_ERASURE,
        params![
            time_text(SystemTime::now()),
            audit.kind,
            audit.hash,
            count(audit.reports + reports as u64),
            count(tokens as u64)
        ],
    )?;
    Ok(reports)
}

/// Gives a few free pages back to the disk, and says whether there may be more. Not in a transaction.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<bool> {
    let free = || connection.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0));
    let before = free()?;
    if before <= SPARE {
        return Ok(false);
    }
    // It gives back a page with each step.
    let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    let left = free()?;
    Ok(left > SPARE && left < before)
}

pub(super) fn hold_upkeep(
    connection: &Connection,
    holder: &str,
    time: Duration,
) -> rusqlite::Result<bool> {
    let now = SystemTime::now();
    let until = now.checked_add(time).unwrap_or(now);
    let held = connection.prepare_cached(HOLD)?.execute(params![
        holder,
        time_text(now),
        time_text(until)
    ])?;
    Ok(held > 0)
}
