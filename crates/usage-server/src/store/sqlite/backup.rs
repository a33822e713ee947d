//! A copy of the database while it is in use.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use usage_files::Accept;

use super::said::said;
use crate::store::error::StoreError;

/// Copies what is committed by now into a new file, and returns its size. Nobody waits for it.
pub(super) fn backup(source: &Connection, to: &Path) -> Result<u64, StoreError> {
    if std::fs::symlink_metadata(to).is_ok() {
        return Err(StoreError::Exists { path: to.to_owned() });
    }
    // For its owner alone, and no link: it holds what the database holds.
    let file = usage_files::open(to, Accept::NOTHING);
    drop(file.map_err(|error| StoreError::File(error.into()))?);
    let copied = copy(source, to);
    if copied.is_err() {
        // What is not whole is not to be taken for a copy. Where it cannot be removed, the error is
        // the same.
        drop(std::fs::remove_file(to));
    }
    let failed = |error: &rusqlite::Error| StoreError::Write {
        path: to.to_owned(),
        source: said(error, to),
    };
    copied.map_err(|error| failed(&error))
}

fn copy(source: &Connection, to: &Path) -> rusqlite::Result<u64> {
    let mut copy = Connection::open(to)?;
    // In one step: it is one look at the database, which those who write do not wait for. In several it
    // would begin again after each report that is stored meanwhile.
    Backup::new(source, &mut copy)?.run_to_completion(i32::MAX, std::time::Duration::ZERO, None)?;
    // So that it is a single file.
    copy.pragma_update(None, "journal_mode", "delete")?;
    let pages: i64 = copy.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let size: i64 = copy.pragma_query_value(None, "page_size", |row| row.get(0))?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(u64::try_from(pages.saturating_mul(size)).unwrap_or_default())
}
