//! What is counted beside the reports: how many there are, and how many requests were refused.

use rusqlite::{Connection, params};

use super::millis::Millis;
use crate::store::backend::NEAR;
use crate::store::figures::Figures;
use crate::store::kind::Kind;
use crate::store::refusals::DayRefusals;
use crate::store::selection::Selection;
use crate::store::time_text::time_of;

const IS_BEHIND: &str = "\
    SELECT EXISTS (SELECT 1 FROM report WHERE id > (SELECT counted_to FROM tally))";

const COUNTED_TO: &str = "SELECT counted_to FROM tally";

const NEXT: &str = "SELECT id, kind FROM report WHERE id > ?1 ORDER BY id LIMIT ?2";

const ADD: &str = "\
    UPDATE tally SET counted_to = ?1, servers = servers + ?2, stats = stats + ?3, usage = usage + ?4";

const TALLY: &str = "SELECT servers, stats, usage FROM tally";

/// What comes in below what was counted has it all counted again.
const COUNT_AGAIN: &str = "\
    UPDATE tally SET counted_to = 0, servers = 0, stats = 0, usage = 0 WHERE counted_to >= ?1";

/// A look at the index for each product.
const OLDEST: &str = "\
    SELECT min((SELECT min(received_at) FROM report WHERE product_id = product.id AND kind = ?1))
    FROM product";

/// Where much is selected the first of it is near, and to look at all of it would take long.
const FIRST_NEAR: &str = "\
    SELECT min(id) FROM (
        SELECT id, product_id, kind, received_at FROM report WHERE id > ?4 ORDER BY id LIMIT ?5)
    WHERE (?2 IS NULL OR product_id = (SELECT id FROM product WHERE name = ?2))
        AND (?3 IS NULL OR kind = ?3) AND received_at >= ?1";

/// The index has a product, a kind and times: what is looked at is what is selected, and not what stands
/// before it. The sign keeps `SQLite` from looking at all reports in the order of their positions.
const FIRST_SINCE: &str = "\
    WITH kinds (called) AS (VALUES (1), (2), (3))
    SELECT min((SELECT min(+report.id) FROM report
        WHERE product_id = product.id AND kind = called AND received_at >= ?1
            AND +report.id > ?4))
    FROM product, kinds WHERE (?2 IS NULL OR name = ?2) AND (?3 IS NULL OR called = ?3)";

const PRUNED_AT: &str = "SELECT (SELECT pruned_at FROM upkeep)";

const NOTE_PRUNED: &str = "UPDATE upkeep SET pruned_at = ?2 WHERE holder = ?1";

const ADD_REFUSAL: &str = "\
    INSERT INTO refusal (day, reason, count) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET count = count + excluded.count";

/// Taken over once, however often it is tried.
const TAKE_REFUSAL: &str = "\
    INSERT INTO refusal (day, reason, count) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET count = max(count, excluded.count)";

const REFUSALS: &str = "\
    SELECT day, reason, count FROM refusal WHERE day >= ?1 ORDER BY day, reason";

/// Whether there is something to count: a transaction costs the disk a moment.
pub(super) fn is_behind(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached(IS_BEHIND)?.query_row([], |row| row.get(0))
}

/// Counts the next reports, and says whether there may be more.
pub(super) fn count_on(connection: &Connection, most: usize) -> rusqlite::Result<bool> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut to: i64 = connection.prepare_cached(COUNTED_TO)?.query_row([], |row| row.get(0))?;
    let mut kinds = Kinds::default();
    let mut count = 0;
    let mut statement = connection.prepare_cached(NEXT)?;
    let mut rows = statement.query(params![to, limit])?;
    while let Some(row) = rows.next()? {
        to = row.get(0)?;
        kinds.add(row.get(1)?);
        count += 1;
    }
    let Kinds([servers, stats, usage]) = kinds;
    connection.prepare_cached(ADD)?.execute(params![to, servers, stats, usage])?;
    Ok(count == most)
}

/// Takes away what is deleted in this transaction, if it was counted.
pub(super) fn count_off(
    connection: &Connection,
    gone: impl Iterator<Item = (i64, Kind)>,
) -> rusqlite::Result<()> {
    let to: i64 = connection.prepare_cached(COUNTED_TO)?.query_row([], |row| row.get(0))?;
    let mut kinds = Kinds::default();
    gone.filter(|(position, _)| *position <= to).for_each(|(_, kind)| kinds.add(kind));
    let [servers, stats, usage] = kinds.0.map(|count| -count);
    connection.prepare_cached(ADD)?.execute(params![to, servers, stats, usage])?;
    Ok(())
}

/// Has all reports counted again, if one was put where it was counted already.
pub(super) fn count_again(connection: &Connection, first: i64) -> rusqlite::Result<()> {
    connection.prepare_cached(COUNT_AGAIN)?.execute(params![first]).map(drop)
}

/// All but the size.
pub(super) fn figures(connection: &Connection) -> rusqlite::Result<Figures> {
    let reports = connection
        .prepare_cached(TALLY)?
        .query_row([], |row| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?]))?;
    let mut figures = Figures {
        reports: Some(reports.map(|count| u64::try_from(count).unwrap_or_default())),
        ..Figures::default()
    };
    for (oldest, kind) in figures.oldest.iter_mut().zip(Kind::ALL) {
        let time: Option<Millis> =
            connection.prepare_cached(OLDEST)?.query_row(params![kind], |row| row.get(0))?;
        *oldest = time.map(Millis::time);
    }
    let pruned_at: Option<String> =
        connection.prepare_cached(PRUNED_AT)?.query_row([], |row| row.get(0))?;
    figures.pruned_at = pruned_at.as_deref().and_then(time_of);
    Ok(figures)
}

pub(super) fn first_since(
    connection: &Connection,
    selection: &Selection,
) -> rusqlite::Result<Option<i64>> {
    let Selection { kind, product, since, after } = selection;
    let since = since.map_or(Millis::FIRST, Millis::of);
    let first = |row: &rusqlite::Row<'_>| row.get(0);
    let most = i64::try_from(NEAR).unwrap_or(i64::MAX);
    let near: Option<i64> = connection
        .prepare_cached(FIRST_NEAR)?
        .query_row(params![since, product, kind, after, most], first)?;
    if near.is_some() {
        return Ok(near);
    }
    connection.prepare_cached(FIRST_SINCE)?.query_row(params![since, product, kind, after], first)
}

pub(super) fn note_pruned(connection: &Connection, holder: &str, at: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(NOTE_PRUNED)?.execute(params![holder, at]).map(drop)
}

pub(super) fn add_refusals(
    connection: &Connection,
    refusals: &[DayRefusals],
) -> rusqlite::Result<()> {
    store_refusals(connection, ADD_REFUSAL, refusals)
}

pub(super) fn take_refusals(
    connection: &Connection,
    refusals: &[DayRefusals],
) -> rusqlite::Result<()> {
    store_refusals(connection, TAKE_REFUSAL, refusals)
}

fn store_refusals(
    connection: &Connection,
    statement: &str,
    refusals: &[DayRefusals],
) -> rusqlite::Result<()> {
    for DayRefusals { day, reason, count } in refusals {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        connection.prepare_cached(statement)?.execute(params![day, reason, count])?;
    }
    Ok(())
}

pub(super) fn refusals(connection: &Connection, since: &str) -> rusqlite::Result<Vec<DayRefusals>> {
    connection
        .prepare_cached(REFUSALS)?
        .query_map(params![since], |row| {
            let count = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
            Ok(DayRefusals { day: row.get(0)?, reason: row.get(1)?, count })
        })?
        .collect()
}

/// Numbers of reports, in the order of [`Kind::ALL`].
#[derive(Debug, Default)]
struct Kinds([i64; Kind::ALL.len()]);

impl Kinds {
    fn add(&mut self, kind: Kind) {
        for (count, one) in self.0.iter_mut().zip(Kind::ALL) {
            *count += i64::from(one == kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::delete::OLD;
    use super::super::migrations;
    use super::{FIRST_NEAR, FIRST_SINCE, NEXT, OLDEST};

    /// Nothing that is asked once a minute, or before an export, reads all reports.
    #[test]
    fn indexes_serve_what_is_counted() {
        let connection = migrations::made(migrations::NEWEST).unwrap();
        for (statement, expected) in [
            (FIRST_SINCE, "COVERING INDEX report_time (product_id=? AND kind=? AND received_at>?)"),
            (OLDEST, "COVERING INDEX report_time (product_id=? AND kind=?)"),
            (OLD, "COVERING INDEX report_time (product_id=? AND kind=? AND received_at<?)"),
            (FIRST_NEAR, "INTEGER PRIMARY KEY (rowid>?)"),
            (NEXT, "INTEGER PRIMARY KEY (rowid>?)"),
        ] {
            let lines = migrations::plan(&connection, statement);
            assert!(lines.iter().any(|line| line.contains(expected)), "{lines:?}");
            let is_slow =
                |line: &String| line.contains("SCAN report") || line.contains("TEMP B-TREE");
            assert!(!lines.iter().any(is_slow), "{lines:?}");
        }
    }
}
