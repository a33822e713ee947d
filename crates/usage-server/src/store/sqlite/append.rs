//! Batches of reports: one transaction for each.

use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, params};

use super::millis::Millis;
use super::packed::Packed;
use super::product::Products;
use super::sql;
use crate::store::batch::{Batch, Done, NewToken, Work};
use crate::store::registrant::Registrant;
use crate::store::row::{Body, Purpose, Report, Row};
use crate::store::time_text::time_text;

/// What became of each job of a batch that is committed.
pub(super) type Performed = Vec<rusqlite::Result<Done>>;

/// Why a transaction was not committed.
enum Failed {
    /// One of its jobs did not work.
    Job(rusqlite::Error),
    /// It could not begin, or not end.
    All(rusqlite::Error),
}

/// Makes a batch durable, or nothing of it.
pub(super) fn append(
    connection: &Connection,
    batch: &mut Batch<'_>,
) -> rusqlite::Result<Performed> {
    transact(connection, batch).or_else(|failed| {
        roll_back(connection);
        match failed {
            // The others are not to suffer for it.
            Failed::Job(_) if batch.len() > 1 => {
                one_by_one(connection, batch).inspect_err(|_| roll_back(connection))
            }
            Failed::Job(error) | Failed::All(error) => Err(error),
        }
    })
}

/// Runs one transaction over the batch and everything that waits behind it, which becomes a part of
/// it. All of it is durable then, or none of it is stored.
fn transact(connection: &Connection, batch: &mut Batch<'_>) -> Result<Performed, Failed> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(Failed::All)?;
    let (mut moment, mut performed) = (Moment::now(), Vec::new());
    // Whoever came while the lock was awaited is taken along, and so is whoever comes meanwhile.
    while let Some(work) = batch.work_at(performed.len()) {
        performed.push(Ok(perform(connection, work, &mut moment).map_err(Failed::Job)?));
    }
    connection.execute_batch("COMMIT").map_err(Failed::All)?;
    Ok(performed)
}

/// Does the same for a batch of which one job does not work, and leaves that one out. A savepoint for
/// each costs a third of the rate, so this is a second try alone.
fn one_by_one(connection: &Connection, batch: &Batch<'_>) -> rusqlite::Result<Performed> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let (mut moment, mut performed) = (Moment::now(), Vec::new());
    for work in batch.works() {
        connection.execute_batch("SAVEPOINT job")?;
        let done = perform(connection, work, &mut moment);
        if let Err(error) = done {
            // After some errors, such as a full disk, SQLite has rolled back all of it by itself.
            if connection.is_autocommit() {
                return Err(error);
            }
            connection.execute_batch("ROLLBACK TO job")?;
            moment.products.forget();
            performed.push(Err(error));
        } else {
            performed.push(done);
        }
        connection.execute_batch("RELEASE job")?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(performed)
}

/// Ends a transaction that did not work.
pub(super) fn roll_back(connection: &Connection) {
    // SQLite has rolled back by itself after some errors. Where this fails too, the next BEGIN
    // fails, and says so to whoever waits for it.
    if !connection.is_autocommit() {
        drop(connection.execute_batch("ROLLBACK"));
    }
}

/// What holds for all of a transaction.
struct Moment {
    at: SystemTime,
    /// Whether a token counts, of those that were asked for.
    tokens: Vec<(i64, bool)>,
    products: Products,
}

impl Moment {
    fn now() -> Self {
        Self { at: SystemTime::now(), tokens: Vec::new(), products: Products::default() }
    }

    /// Whether a token has not ended. Who has looked it up before did so a while ago.
    fn counts(&mut self, connection: &Connection, token_id: i64) -> rusqlite::Result<bool> {
        if let Some((_, counts)) = self.tokens.iter().find(|(id, _)| *id == token_id) {
            return Ok(*counts);
        }
        let counts = connection
            .prepare_cached(sql::TOKEN_COUNTS)?
            .query_row(params![token_id, time_text(self.at)], |row| row.get(0))?;
        self.tokens.push((token_id, counts));
        Ok(counts)
    }
}

fn perform(connection: &Connection, work: &Work, moment: &mut Moment) -> rusqlite::Result<Done> {
    match work {
        Work::Report(report) => insert_report(connection, report, moment),
        Work::Token(token) => insert_token(connection, token),
        Work::Barrier => Ok(Done::Nothing),
    }
}

fn insert_token(connection: &Connection, token: &NewToken) -> rusqlite::Result<Done> {
    let NewToken { hash, organisation, registrant } = token;
    connection
        .prepare_cached(sql::INSERT_TOKEN)?
        .execute(params![hash.as_bytes(), organisation])?;
    if let Some(Registrant { email, cluster_id, product, .. }) = registrant {
        let id = connection.last_insert_rowid();
        connection
            .prepare_cached(sql::INSERT_REGISTRATION)?
            .execute(params![id, email, cluster_id, product])?;
    }
    Ok(Done::Stored)
}

fn insert_report(
    connection: &Connection,
    report: &Report,
    moment: &mut Moment,
) -> rusqlite::Result<Done> {
    let Report { token_id, idempotency_key, row, .. } = report;
    let (kind, product) = (row.kind(), &row.product);
    if let Some(token_id) = token_id
        && !moment.counts(connection, *token_id)?
    {
        return Ok(Done::TokenEnded);
    }
    // Nobody else writes in this transaction, so what is not there now is not there below.
    if let Some(key) = idempotency_key
        && let Some(first) = first_with_key(connection, *token_id, key)?
    {
        let is_same = first.kind == kind && first.product == *product;
        return Ok(if is_same { Done::Repeated } else { Done::KeyTaken });
    }
    let placed = Placed {
        id: None,
        received_at: Millis::of(moment.at),
        token_id: *token_id,
        key: idempotency_key.as_deref(),
        product_id: moment.products.id(connection, product)?,
        row,
    };
    insert(connection, sql::INSERT_REPORT, &placed)?;
    Ok(Done::Stored)
}

/// A report as it stands in its table.
pub(super) struct Placed<'a> {
    /// `None` for the next one.
    pub(super) id: Option<i64>,
    pub(super) received_at: Millis,
    pub(super) token_id: Option<i64>,
    pub(super) key: Option<&'a str>,
    pub(super) product_id: i64,
    pub(super) row: &'a Row,
}

/// Runs a statement that inserts a report, and stores its other ids if it did.
pub(super) fn insert(
    connection: &Connection,
    statement: &str,
    placed: &Placed<'_>,
) -> rusqlite::Result<()> {
    let Placed { id, received_at, token_id, key, product_id, row } = *placed;
    let none = None::<&String>;
    let (cluster_id, server_id, host, version, data) = match &row.body {
        Body::Server { cluster_id, server_id, host, version } => {
            (Some(cluster_id), Some(server_id), Some(host), Some(version), none)
        }
        Body::Stats { cluster_id, server_id, data } => {
            (Some(cluster_id), Some(server_id), none, none, Some(data))
        }
        Body::Usage { data } => (none, none, none, none, Some(data)),
    };
    let inserted = connection.prepare_cached(statement)?.execute(params![
        id,
        received_at,
        token_id,
        row.kind(),
        product_id,
        key.map(Packed),
        row.ids.instance.as_ref().map(Packed),
        cluster_id,
        server_id,
        host,
        version,
        data
    ])?;
    if inserted > 0 {
        let id = connection.last_insert_rowid();
        for other in &row.ids.others {
            connection.prepare_cached(sql::INSERT_OTHER_ID)?.execute(params![Packed(other), id])?;
        }
    }
    Ok(())
}

/// What the first report with a key was for.
pub(super) fn first_with_key(
    connection: &Connection,
    token_id: Option<i64>,
    key: &str,
) -> rusqlite::Result<Option<Purpose>> {
    connection
        .prepare_cached(sql::FIRST_WITH_KEY)?
        .query_row(params![token_id, Packed(key)], |row| {
            Ok(Purpose { kind: row.get(0)?, product: row.get(1)? })
        })
        .optional()
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;
    use rusqlite::params_from_iter;

    use super::super::{migrations, product, sql};

    /// `SQLite` prepares a statement anew for other values, if its plan could hang on them: with a join in
    /// it the one that looks for a key took as long as all else of a report.
    #[test]
    fn what_is_run_for_each_report_is_prepared_once() {
        let connection = migrations::made(migrations::NEWEST).unwrap();
        for statement in [
            sql::TOKEN_COUNTS,
            sql::FIRST_WITH_KEY,
            product::ID,
            sql::INSERT_REPORT,
            sql::INSERT_OTHER_ID,
            sql::TOKEN,
            sql::KNOWN_BEFORE,
        ] {
            for number in 1..10 {
                let mut statement = connection.prepare_cached(statement).unwrap();
                let values = vec![number; statement.parameter_count()];
                let mut rows = statement.query(params_from_iter(values)).unwrap();
                // What is not allowed is looked at before it is refused.
                drop(rows.next());
            }
            let prepared = connection.prepare_cached(statement).unwrap();
            assert!(prepared.get_status(StatementStatus::Run) > 5, "{statement}");
            assert_eq!(prepared.get_status(StatementStatus::RePrepare), 0, "{statement}");
        }
    }
}
