//! Pages of reports.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::millis::Millis;
use super::packed::Packed;
use super::sql;
use crate::store::backend::{PAGE_BYTES, PAGE_ROWS};
use crate::store::kind::Kind;
use crate::store::row::Body;
use crate::store::selection::Selection;
use crate::store::stored::StoredRow;

pub(super) fn page(
    connection: &Connection,
    selection: &Selection,
) -> rusqlite::Result<Vec<StoredRow>> {
    let mut statement = connection.prepare_cached(sql::PAGE)?;
    let mut rows = statement.query(params![
        selection.after,
        selection.kind,
        selection.product,
        selection.since.map(Millis::of)
    ])?;
    let (mut page, mut bytes) = (Vec::new(), 0);
    while page.len() < PAGE_ROWS
        && bytes < PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        let row = stored_row(row)?;
        bytes += row.body.bytes();
        page.push(row);
    }
    Ok(page)
}

pub(super) fn row(connection: &Connection, position: i64) -> rusqlite::Result<Option<StoredRow>> {
    let mut statement = connection.prepare_cached(sql::ROW)?;
    statement.query_row(params![position], stored_row).optional()
}

fn stored_row(row: &Row<'_>) -> rusqlite::Result<StoredRow> {
    Ok(StoredRow {
        position: row.get(0)?,
        received_at: row.get::<_, Millis>(1)?.text(),
        organisation: row.get(2)?,
        instance: row.get::<_, Option<Packed<String>>>(3)?.map(|Packed(id)| id),
        product: row.get(5)?,
        body: body(row)?,
    })
}

/// The kind and the columns that belong to it, from the fifth and from the seventh on.
pub(super) fn body(row: &Row<'_>) -> rusqlite::Result<Body> {
    Ok(match row.get(4)? {
        Kind::Server => Body::Server {
            cluster_id: row.get(6)?,
            server_id: row.get(7)?,
            host: row.get(8)?,
            version: row.get(9)?,
        },
        Kind::Stats => {
            Body::Stats { cluster_id: row.get(6)?, server_id: row.get(7)?, data: row.get(10)? }
        }
        Kind::Usage => Body::Usage { data: row.get(10)? },
    })
}
