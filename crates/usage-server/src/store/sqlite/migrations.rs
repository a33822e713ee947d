//! How the tables came to be, version by version.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::fill_ids;
use super::millis::Millis;
use super::packed::Packed;
use crate::store::kind::Kind;

/// Each entry brings a database from the version before it to its own; the first makes version 1.
/// An entry that was released is never edited.
const MIGRATIONS: &[Migration] = &[
    Migration { sql: include_str!("schema_1.sql"), fill: None },
    Migration { sql: include_str!("schema_2.sql"), fill: None },
    Migration { sql: include_str!("schema_3.sql"), fill: None },
    Migration { sql: include_str!("schema_4.sql"), fill: Some(fill_ids::fill_ids) },
    Migration { sql: include_str!("schema_5.sql"), fill: None },
    Migration { sql: include_str!("schema_6.sql"), fill: None },
];

struct Migration {
    sql: &'static str,
    /// What no statement can do: columns that follow from what is stored by a rule of this crate.
    fill: Option<fn(&Connection) -> rusqlite::Result<()>>,
}

pub(super) const NEWEST: usize = MIGRATIONS.len();

/// Brings a database from a version to the newest one, in the transaction that is open.
pub(super) fn bring_up(connection: &Connection, version: usize) -> rusqlite::Result<()> {
    add_functions(connection)?;
    for migration in &MIGRATIONS[version..] {
        connection.execute_batch(migration.sql)?;
        if let Some(fill) = migration.fill {
            fill(connection)?;
        }
    }
    Ok(())
}

/// What a database of a version has, with nothing in it.
pub(super) fn made(version: usize) -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    add_functions(&connection)?;
    for migration in &MIGRATIONS[..version] {
        connection.execute_batch(migration.sql)?;
    }
    Ok(connection)
}

/// What the columns of version 6 are made by.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        // In statements of this crate alone.
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("millis", 1, flags, |given: &mut Context<'_>| {
        Millis::parse(&given.get::<String>(0)?)
    })?;
    connection.create_scalar_function("kind_number", 1, flags, |given: &mut Context<'_>| {
        let kind = given.get::<String>(0)?.parse::<Kind>();
        kind.map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
    })?;
    connection.create_scalar_function("packed", 1, flags, |given: &mut Context<'_>| {
        Ok(given.get::<Option<String>>(0)?.map(Packed))
    })
}

/// How a statement is run, line by line.
#[cfg(test)]
pub(super) fn plan(connection: &Connection, statement: &str) -> Vec<String> {
    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    for parameter in 1..=plan.parameter_count() {
        plan.raw_bind_parameter(parameter, 1).unwrap();
    }
    let mut rows = plan.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get::<_, String>("detail").unwrap());
    }
    lines
}
