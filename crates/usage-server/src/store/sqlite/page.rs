//! Pages of reports.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::sql;
use crate::store::backend::{PAGE_BYTES, PAGE_ROWS};
use crate::store::kind::Kind;
use crate::store::row::Body;
use crate::store::selection::Selection;
use crate::store::stored::StoredRow;
use crate::store::time_text::time_text;

pub(super) fn page(
    connection: &Connection,
    selection: &Selection,
) -> rusqlite::Result<Vec<StoredRow>> {
    let mut statement = connection.prepare_cached(sql::PAGE)?;
    let mut rows = statement.query(params![
        selection.after,
        selection.kind.map(Kind::as_str),
        selection.product,
        selection.since.map(time_text)
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
        received_at: row.get(1)?,
        organisation: row.get(2)?,
        instance: row.get(3)?,
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
