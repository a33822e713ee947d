//! All rows, out of a database and into one.

use rusqlite::{Connection, params};

use super::append::{Placed, insert};
use super::millis::Millis;
use super::packed::Packed;
use super::product::Products;
use super::{sql, tally};
use crate::store::backend::{PAGE_BYTES, PAGE_ROWS};
use crate::store::kind::Kind;
use crate::store::moving::{LeftKey, MovedErasure, MovedReport, MovedToken, Portion};
use crate::store::row::Row;
use crate::store::stored::ids;

const TOKENS: &str = "\
    SELECT id, hash, organisation, created_at, ends_at, email, cluster_id, product
    FROM token LEFT JOIN registration ON token_id = id ORDER BY id";

const REPORTS: &str = "\
    SELECT report.id, received_at, token_id, idempotency_key, kind, name,
           cluster_id, server_id, host, version, data
    FROM report LEFT JOIN product ON product.id = product_id
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
            received_at: row.get::<_, Millis>(1)?.text(),
            token_id: row.get(2)?,
            key: row.get::<_, Option<Packed<String>>>(3)?.map(|Packed(key)| key),
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
        .query_map(params![token_id, Packed(key), most], |row| {
            Ok(LeftKey {
                token_id: row.get(0)?,
                key: row.get::<_, Packed<String>>(1)?.0,
                kind: row.get(2)?,
                product: row.get(3)?,
                seen_at: row.get::<_, Millis>(4)?.text(),
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
    let mut products = Products::default();
    for MovedReport { position, received_at, token_id, key, row } in &portion.reports {
        let placed = Placed {
            id: Some(*position),
            received_at: Millis::parse(received_at)?,
            token_id: *token_id,
            key: key.as_deref(),
            product_id: products.id(connection, &row.product)?,
            row,
        };
        insert(connection, sql::TAKE_REPORT, &placed)?;
    }
    // If another report had its place.
    products.remove_unused(connection)?;
    for LeftKey { token_id, key, kind, product, seen_at } in &portion.keys {
        connection.prepare_cached(TAKE_KEY)?.execute(params![
            token_id,
            Packed(key),
            kind,
            product,
            Millis::parse(seen_at)?
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
    // The sequence is no table that a statement may write to here: a row that goes again moves it. Its
    // product is looked at when all is committed.
    connection.pragma_update(None, "defer_foreign_keys", true)?;
    connection.execute(
        "INSERT INTO report (id, received_at, kind, product_id) VALUES (?1, ?2, ?3, 0)",
        params![position, Millis::FIRST, Kind::Usage],
    )?;
    connection.execute("DELETE FROM report WHERE id = ?1", params![position])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, params};

    use super::super::packed::Packed;
    use crate::store::Store;
    use crate::store::backend::PAGE_ROWS;
    use crate::store::database::Database;

    /// Blobs sort behind texts: pages go on in that order, and leave out nothing.
    #[test]
    fn keys_of_any_form_are_moved_once_each() {
        let store = Store::open(&Database::temporary()).unwrap();
        let connection = Connection::open(store.path()).unwrap();
        connection.execute_batch("BEGIN").unwrap();
        let mut expected = Vec::new();
        for number in 0..PAGE_ROWS + PAGE_ROWS / 2 {
            let token_id = i64::try_from(number % 2).unwrap();
            let hash = number.wrapping_mul(0x9e37_79b9);
            for key in [format!("{hash:032x}"), format!("{hash:032X}K")] {
                connection
                    .prepare_cached("INSERT INTO left_key VALUES (?1, ?2, 3, 'p', 0)")
                    .unwrap()
                    .execute(params![token_id, Packed(&key)])
                    .unwrap();
                expected.push((token_id, key));
            }
        }
        connection.execute_batch("COMMIT").unwrap();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let keys = store.backend().keys_to_move(after.as_ref()).unwrap();
            let Some(last) = keys.last() else { break };
            after = Some((last.token_id, last.key.clone()));
            found.extend(keys.into_iter().map(|left| (left.token_id, left.key)));
        }
        assert!(found.len() > 2 * PAGE_ROWS);
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}
