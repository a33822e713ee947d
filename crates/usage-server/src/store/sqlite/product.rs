//! Products, whose names are stored once.

use rusqlite::{Connection, OptionalExtension, params};

pub(super) const ID: &str = "SELECT id FROM product WHERE name = ?1";

const INSERT: &str = "INSERT INTO product (name) VALUES (?1)";

/// One look at the index by product.
const REMOVE_UNUSED: &str = "\
    DELETE FROM product
    WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM report WHERE product_id = ?1)";

/// The ids of names, for as long as a transaction lasts: another process may remove a product behind it.
#[derive(Debug, Default)]
pub(super) struct Products(Vec<(String, i64)>);

impl Products {
    /// The id of a product, which has one from now on.
    pub(super) fn id(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        if let Some((_, id)) = self.0.iter().find(|(known, _)| known == name) {
            return Ok(*id);
        }
        let known = connection.prepare_cached(ID)?.query_row(params![name], |row| row.get(0));
        let id = match known.optional()? {
            Some(id) => id,
            None => connection.prepare_cached(INSERT)?.insert(params![name])?,
        };
        self.0.push((name.to_owned(), id));
        Ok(id)
    }

    /// What was made of it may have been rolled back.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Removes those that have no report after all.
    pub(super) fn remove_unused(self, connection: &Connection) -> rusqlite::Result<()> {
        remove_unused(connection, self.0.into_iter().map(|(_, id)| id).collect())
    }
}

/// An open server takes any name: those of which the last report is gone are not kept for ever.
pub(super) fn remove_unused(connection: &Connection, mut ids: Vec<i64>) -> rusqlite::Result<()> {
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        connection.prepare_cached(REMOVE_UNUSED)?.execute(params![id])?;
    }
    Ok(())
}
