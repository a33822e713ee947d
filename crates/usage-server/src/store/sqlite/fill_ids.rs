//! The ids of reports that were stored before ids had columns.

use rusqlite::{Connection, OptionalExtension, params};

use super::page;
use crate::store::stored::ids;

/// The next report behind a position, as the tables were then, with its columns where they are now.
const NEXT: &str = "\
    SELECT report.id, NULL, NULL, NULL,
           CASE kind WHEN 'server' THEN 1 WHEN 'stats' THEN 2 ELSE 3 END, report.product,
           ifnull(server.cluster_id, stats.cluster_id), ifnull(server.server_id, stats.server_id),
           host, version, ifnull(stats.data, usage.data)
    FROM report
    LEFT JOIN server ON server.report_id = report.id
    LEFT JOIN stats ON stats.report_id = report.id
    LEFT JOIN usage ON usage.report_id = report.id
    WHERE report.id > ?1 ORDER BY report.id LIMIT 1";

const SET_INSTANCE: &str = "UPDATE report SET instance = ?2 WHERE id = ?1";

const INSERT_OTHER_ID: &str = "INSERT INTO other_id (id, report_id) VALUES (?1, ?2)";

pub(super) fn fill_ids(connection: &Connection) -> rusqlite::Result<()> {
    let mut next = connection.prepare(NEXT)?;
    let mut set_instance = connection.prepare(SET_INSTANCE)?;
    let mut insert_other_id = connection.prepare(INSERT_OTHER_ID)?;
    let mut position = 0_i64;
    loop {
        let report = next.query_row(params![position], |row| {
            Ok((row.get(0)?, row.get::<_, String>(5)?, page::body(row)?))
        });
        let Some((found, product, body)) = report.optional()? else { return Ok(()) };
        position = found;
        let ids = ids(product, body)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        set_instance.execute(params![position, ids.instance])?;
        for other in &ids.others {
            insert_other_id.execute(params![other, position])?;
        }
    }
}
