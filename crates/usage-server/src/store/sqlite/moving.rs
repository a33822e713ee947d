//! All rows, out of a database and into one.

use rusqlite::{Connection, params};

use super::append::insert_body;
use super::tally;
use crate::store::backend::{PAGE_BYTES, PAGE_ROWS};
use crate::store::kind::Kind;
use crate::store::moving::{LeftKey, MovedErasure, MovedReport, MovedToken, Portion};
use crate::store::row::Row;
use crate::store::stored::ids;

const TOKENS: &str = "\
    SELECT id, hash, organisation, created_at, ends_at, email, cluster_id, product
    FROM token LEFT JOIN registration ON token_id = id ORDER BY id";

const REPORTS: &str = "\
    SELECT report.id, received_at, token_id, idempotency_key, kind, report.product,
           ifnull(server.cluster_id, stats.cluster_id), ifnull(server.server_id, stats.server_id),
           host, version, ifnull(stats.data, usage.data)
    FROM report
    LEFT JOIN server ON server.report_id = report.id
    LEFT JOIN stats ON stats.report_id = report.id
    LEFT JOIN usage ON usage.report_id = report.id
    WHERE report.id > ?1 ORDER BY report.id";

const KEYS: &str = "\
    SELECT token_id, key, kind, product, seen_at FROM left_key
    WHERE (token_id, key) > (?1, ?2) ORDER BY token_id, key LIMIT ?3";

const ERASURES: &str = "SELECT id, erased_at, kind, hash, reports, tokens FROM erasure ORDER BY id";

const EXTENT: &str = "SELECT count(*), ifnull(max(id), 0) FROM report";

const LAST_POSITION: &str =
    "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'report'), 0)";

const TAKE_TOKEN: &str = "\
    INSERT INTO token (id, hash, organisation, created_at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO NOTHING";

const TAKE_REGISTRATION: &str = "\
    INSERT INTO registration (token_id, email, cluster_id, product) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO NOTHING";

const TAKE_REPORT: &str = "\
    INSERT INTO report (id, received_at, token_id, kind, product, idempotency_key, instance)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";

const TAKE_KEY: &str = "\
    INSERT INTO left_key (token_id, key, kind, product, seen_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO NOTHING";

const TAKE_ERASURE: &str = "\
    INSERT INTO erasure (id, erased_at, kind, hash, reports, tokens)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

pub(super) fn tokens(connection: &Connection) -> rusqlite::Result<Vec<MovedToken>> {
    connection
        .prepare(TOKENS)?
        .query_map([], |row| {
            let email: Option<String> = row.get(5)?;
            let registration = match email {
                Some(email) => Some([email, row.get(6)?, row.get(7)?]),
                None => None,
            };
            Ok(MovedToken {
                id: row.get(0)?,
                hash: row.get(1)?,
                organisation: row.get(2)?,
                created_at: row.get(3)?,
                ends_at: row.get(4)?,
                registration,
            })
        })?
        .collect()
}

pub(super) fn reports(connection: &Connection, after: i64) -> rusqlite::Result<Vec<MovedReport>> {
    let mut statement = connection.prepare_cached(REPORTS)?;
    let mut rows = statement.query(params![after])?;
    let (mut page, mut bytes) = (Vec::new(), 0);
    while page.len() < PAGE_ROWS
        && bytes < PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        let product: String = row.get(5)?;
        let body = super::page::body(row)?;
        bytes += body.bytes();
        let ids = ids(product.clone(), body.clone())
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        page.push(MovedReport {
            position: row.get(0)?,
            received_at: row.get(1)?,
            token_id: row.get(2)?,
            key: row.get(3)?,
            row: Row { product, ids, body },
        });
    }
    Ok(page)
}

pub(super) fn keys(
    connection: &Connection,
    after: Option<&(i64, String)>,
) -> rusqlite::Result<Vec<LeftKey>> {
    let (token_id, key) = after.map_or((-1, ""), |(token_id, key)| (*token_id, key.as_str()));
    let most = i64::try_from(PAGE_ROWS).unwrap_or(i64::MAX);
    connection
        .prepare_cached(KEYS)?
        .query_map(params![token_id, key, most], |row| {
            Ok(LeftKey {
                token_id: row.get(0)?,
                key: row.get(1)?,
                kind: row.get(2)?,
                product: row.get(3)?,
                seen_at: row.get(4)?,
            })
        })?
        .collect()
}

pub(super) fn erasures(connection: &Connection) -> rusqlite::Result<Vec<MovedErasure>> {
    connection
        .prepare(ERASURES)?
        .query_map([], |row| {
            Ok(MovedErasure {
                id: row.get(0)?,
                erased_at: row.get(1)?,
                kind: row.get(2)?,
                hash: row.get(3)?,
                reports: row.get(4)?,
                tokens: row.get(5)?,
            })
        })?
        .collect()
}

/// How many reports there are, and the last position of them.
pub(super) fn extent(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    connection.query_row(EXTENT, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn last_position(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(LAST_POSITION, [], |row| row.get(0))
}

pub(super) fn take(connection: &Connection, portion: &Portion) -> rusqlite::Result<()> {
    for MovedToken { id, hash, organisation, created_at, ends_at, registration } in &portion.tokens
    {
        connection.prepare_cached(TAKE_TOKEN)?.execute(params![
            id,
            hash,
            organisation,
            created_at,
            ends_at
        ])?;
        if let Some([email, cluster_id, product]) = registration {
            connection
                .prepare_cached(TAKE_REGISTRATION)?
                .execute(params![id, email, cluster_id, product])?;
        }
    }
    if let Some(first) = portion.reports.first() {
        tally::count_again(connection, first.position)?;
    }
    for MovedReport { position, received_at, token_id, key, row } in &portion.reports {
        let kind = row.kind().as_str();
        let taken = connection.prepare_cached(TAKE_REPORT)?.execute(params![
            position,
            received_at,
            token_id,
            kind,
            row.product,
            key,
            row.ids.instance
        ])?;
        if taken > 0 {
            insert_body(connection, *position, row)?;
        }
    }
    for LeftKey { token_id, key, kind, product, seen_at } in &portion.keys {
        connection.prepare_cached(TAKE_KEY)?.execute(params![
            token_id,
            key,
            Kind::as_str(*kind),
            product,
            seen_at
        ])?;
    }
    for MovedErasure { id, erased_at, kind, hash, reports, tokens } in &portion.erasures {
        connection
            .prepare_cached(TAKE_ERASURE)?
            .execute(params![id, erased_at, kind, hash, reports, tokens])?;
    }
    tally::take_refusals(connection, &portion.refusals)
}

/// No position up to this is given again.
pub(super) fn go_on_after(connection: &Connection, position: i64) -> rusqlite::Result<()> {
    if last_position(connection)? >= position {
        return Ok(());
    }
    // The sequence is no table that a statement may write to here: a row that goes again moves it.
    connection.execute(
        "INSERT INTO report (id, received_at, kind, product) VALUES (?1, '', 'usage', '')",
        params![position],
    )?;
    connection.execute("DELETE FROM report WHERE id = ?1", params![position])?;
    Ok(())
}
