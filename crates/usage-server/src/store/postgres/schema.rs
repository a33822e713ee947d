//! The tables, made and brought up to date by one server at a time.

use tokio_postgres::error::SqlState;

use super::failure::Failed;

/// Each entry brings a database from the version before it to its own. An entry that was released is
/// never edited.
const MIGRATIONS: &[&str] = &[include_str!("pg_schema_1.sql"), include_str!("pg_schema_2.sql")];

/// One row, which whoever migrates holds.
const VERSION_TABLE: &str = "\
    CREATE TABLE IF NOT EXISTS usage_schema (
        id      integer PRIMARY KEY CHECK (id = 1),
        version integer NOT NULL
    );
    INSERT INTO usage_schema VALUES (1, 0) ON CONFLICT DO NOTHING";

/// How often the table above is tried: two that make it at once are in each other's way.
const TRIES: usize = 10;

/// What is wrong with a database.
#[derive(Debug)]
pub(super) enum Unfit {
    Failed(Failed),
    Newer(i64),
}

impl<E: Into<Failed>> From<E> for Unfit {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

pub(super) async fn migrate(client: &tokio_postgres::Client) -> Result<(), Unfit> {
    make_version_table(client).await?;
    let row = client.query_typed_one("SHOW synchronous_commit", &[]).await?;
    if row.try_get::<_, &str>(0)? == "off" {
        return Err(Unfit::Failed(Failed::Other(
            "synchronous_commit is off for this user or database, and an answer promises that its \
             report is durable: turn it on"
                .to_owned(),
        )));
    }
    client.batch_execute("BEGIN").await?;
    let migrated = migrate_in_transaction(client).await;
    let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
    client.batch_execute(end).await?;
    migrated
}

async fn make_version_table(client: &tokio_postgres::Client) -> Result<(), Unfit> {
    let mut tries = 0;
    loop {
        tries += 1;
        match client.batch_execute(VERSION_TABLE).await {
            Err(error) if tries < TRIES && was_there_first(&error) => {}
            made => return Ok(made?),
        }
    }
}

/// Another server has made it in the same moment.
fn was_there_first(error: &tokio_postgres::Error) -> bool {
    [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT]
        .iter()
        .any(|state| error.code() == Some(state))
}

async fn migrate_in_transaction(client: &tokio_postgres::Client) -> Result<(), Unfit> {
    let lock = "SELECT version FROM usage_schema WHERE id = 1 FOR UPDATE";
    let row = client.query_typed_one(lock, &[]).await?;
    let found = i64::from(row.try_get::<_, i32>(0)?);
    let version = match usize::try_from(found) {
        Ok(version) if version <= MIGRATIONS.len() => version,
        _ => return Err(Unfit::Newer(found)),
    };
    for migration in MIGRATIONS.iter().skip(version) {
        client.batch_execute(migration).await?;
    }
    if version < MIGRATIONS.len() {
        let update = format!("UPDATE usage_schema SET version = {}", MIGRATIONS.len());
        client.batch_execute(&update).await?;
    }
    Ok(())
}
