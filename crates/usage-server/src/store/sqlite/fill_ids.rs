//! The ids of reports that were stored before ids had columns.

use rusqlite::{Connection, params};

use super::{page, sql};
use crate::store::selection::Selection;
use crate::store::stored::ids;

const SET_INSTANCE: &str = "UPDATE report SET instance = ?2 WHERE id = ?1";

pub(super) fn fill_ids(connection: &Connection) -> rusqlite::Result<()> {
    let mut selection = Selection::new();
    loop {
        let page = page::page(connection, &selection)?;
        let Some(last) = page.last() else { return Ok(()) };
        selection = selection.after(last.position);
        for row in page {
            let ids = ids(row.product, row.body)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            connection
                .prepare_cached(SET_INSTANCE)?
                .execute(params![row.position, ids.instance])?;
            for other in &ids.others {
                connection
                    .prepare_cached(sql::INSERT_OTHER_ID)?
                    .execute(params![other, row.position])?;
            }
        }
    }
}
