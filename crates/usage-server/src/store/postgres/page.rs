//! Pages of reports.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::failure::Failed;
use super::text::{text, time_column};
use crate::store::backend::{PAGE_BYTES, PAGE_ROWS};
use crate::store::kind::{InvalidKind, Kind};
use crate::store::row::Body;
use crate::store::selection::Selection;
use crate::store::stored::StoredRow;
use crate::store::time_text::time_text;

/// A page ends with the row that makes it too large.
const PAGE: &str = concat!(
    "WITH page AS (
        SELECT report.*, nullif(organisation, '') AS organisation,
            sum(octet_length(coalesce(data, ''))) OVER (ORDER BY report.id) AS bytes
        FROM (
            SELECT * FROM report
            WHERE id > $1 AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR product = $3)
                AND ($4 IS NULL OR received_at >= $4::timestamptz)
            ORDER BY id LIMIT $5
        ) AS report
        LEFT JOIN token ON token.id = token_id
    )
    SELECT id, ",
    time_column!("received_at"),
    ", organisation, instance, kind, product, cluster_id, server_id, host, version, data
    FROM page WHERE bytes - octet_length(coalesce(data, '')) < $6 ORDER BY id"
);

const ROW: &str = concat!(
    "SELECT report.id, ",
    time_column!("received_at"),
    ", nullif(organisation, ''), instance, kind, product, cluster_id, server_id, host, version, data
    FROM report LEFT JOIN token ON token.id = token_id WHERE report.id = $1"
);

pub(super) async fn row(client: &Client, position: i64) -> Result<Option<StoredRow>, Failed> {
    let row = client.query_typed(ROW, &[(&position, Type::INT8)]).await?;
    row.first().map(stored_row).transpose()
}

pub(super) async fn page(client: &Client, selection: &Selection) -> Result<Vec<StoredRow>, Failed> {
    let kind = selection.kind.map(Kind::as_str);
    let product = selection.product.as_deref().map(text);
    let since = selection.since.map(time_text);
    let rows = i64::try_from(PAGE_ROWS).unwrap_or(i64::MAX);
    let bytes = i64::try_from(PAGE_BYTES).unwrap_or(i64::MAX);
    let rows = client
        .query_typed(
            PAGE,
            &[
                (&selection.after, Type::INT8),
                (&kind, Type::TEXT),
                (&product, Type::TEXT),
                (&since, Type::TEXT),
                (&rows, Type::INT8),
                (&bytes, Type::INT8),
            ],
        )
        .await?;
    rows.iter().map(stored_row).collect()
}

fn stored_row(row: &Row) -> Result<StoredRow, Failed> {
    Ok(StoredRow {
        position: row.try_get(0)?,
        received_at: row.try_get(1)?,
        organisation: row.try_get(2)?,
        instance: row.try_get(3)?,
        product: row.try_get(5)?,
        body: body(row)?,
    })
}

/// The kind and the columns that belong to it, from the fifth and from the seventh on.
pub(super) fn body(row: &Row) -> Result<Body, Failed> {
    let column = |place: usize| -> Result<String, tokio_postgres::Error> {
        Ok(row.try_get::<_, Option<String>>(place)?.unwrap_or_default())
    };
    Ok(match kind(row.try_get(4)?)? {
        Kind::Server => Body::Server {
            cluster_id: column(6)?,
            server_id: column(7)?,
            host: column(8)?,
            version: column(9)?,
        },
        Kind::Stats => {
            Body::Stats { cluster_id: column(6)?, server_id: column(7)?, data: column(10)? }
        }
        Kind::Usage => Body::Usage { data: column(10)? },
    })
}

pub(super) fn kind(text: &str) -> Result<Kind, Failed> {
    text.parse().map_err(|error: InvalidKind| Failed::Other(error.to_string()))
}
