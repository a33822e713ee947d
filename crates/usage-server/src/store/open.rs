//! Which backend a database has. This is the only place that asks.

use std::sync::Arc;

use super::backend::Backend;
use super::database::{Database, Location};
use super::error::StoreError;
#[cfg(feature = "postgres")]
use super::postgres::Postgres;
use super::sqlite::Sqlite;

pub(super) fn open(database: &Database) -> Result<Arc<dyn Backend>, StoreError> {
    Ok(match &database.0 {
        Location::File { path, accept } => Arc::new(Sqlite::open(path, *accept)?),
        Location::Temporary => Arc::new(Sqlite::temporary()?),
        #[cfg(feature = "postgres")]
        Location::Postgres(address) => Arc::new(Postgres::open(address)?),
    })
}

/// Refuses a file that is not there.
pub(super) fn must_exist(database: &Database) -> Result<(), StoreError> {
    match &database.0 {
        // Whatever else is there is looked at when it is opened.
        Location::File { path, .. } if std::fs::symlink_metadata(path).is_err() => {
            Err(StoreError::Missing { path: path.clone() })
        }
        _ => Ok(()),
    }
}
