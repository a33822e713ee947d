//! Reports that go, and what goes with them.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::failure::Failed;
use super::tally::{self, count_off};
use super::text::text;
use super::tokens::{counted, milliseconds};
use crate::store::backend::Looked;
use crate::store::erasure::Audit;
use crate::store::target::Target;

/// Each product costs a look at the index, and not each report.
const PRODUCTS: &str = "\
    WITH RECURSIVE each (name) AS (
        SELECT min(product) FROM report
        UNION ALL
        SELECT (SELECT min(product) FROM report WHERE product > name) FROM each
        WHERE name IS NOT NULL
    )
    SELECT name FROM each WHERE name IS NOT NULL";

const OF_INSTANCE: &str = "\
    SELECT id FROM report WHERE instance = $1
    UNION SELECT report_id FROM other_id WHERE id = $1";

/// An organisation that was removed has an empty name, and is not meant by one.
const OF_SERVER: &str = "\
    SELECT report.id FROM (
        SELECT id AS found_id FROM report WHERE instance = $1
        UNION SELECT report_id FROM other_id WHERE id = $1
    ) AS found JOIN report ON report.id = found_id
    WHERE product = $2 AND ($4 = 'anonymous' AND token_id IS NULL OR token_id::text = $5
        OR $3 <> '' AND token_id IN (SELECT id FROM token WHERE organisation = $3))";

const OF_ORGANISATION: &str = "\
    SELECT id FROM report
    WHERE token_id IN (SELECT id FROM token WHERE organisation = $1)";

const OLD: &str = "\
    SELECT id FROM report
    WHERE product = $1 AND kind = $2 AND received_at < $3::timestamptz";

const KNOWN_BEFORE: &str = "\
    SELECT count(*) FROM unnest($1::text[]) AS i (instance)
    WHERE EXISTS (SELECT 1 FROM report WHERE report.instance = i.instance AND product = $2
        AND received_at < $3::timestamptz)";

/// A key that is to stay is marked; what is in other tables goes by its foreign key.
const DELETE: &str = concat!(
    "WITH gone AS (
        DELETE FROM report WHERE id = ANY ($1::bigint[])
        RETURNING id, kind, coalesce(token_id, 0) AS token_id, idempotency_key, received_at
    ), ",
    count_off!(),
    ", forgotten AS (
        DELETE FROM idempotency USING gone
        WHERE idempotency.token_id = gone.token_id AND key = gone.idempotency_key
            AND ($2 IS NULL OR gone.received_at < $2::timestamptz)
    ), kept AS (
        UPDATE idempotency SET has_left = true FROM gone
        WHERE idempotency.token_id = gone.token_id AND key = gone.idempotency_key
            AND gone.received_at >= $2::timestamptz
    )
    SELECT count(*) FROM gone"
);

const FORGET_LEFT: &str = "\
    DELETE FROM idempotency WHERE (token_id, key) IN (
        SELECT token_id, key FROM idempotency
        WHERE has_left AND seen_at < $1::timestamptz ORDER BY seen_at LIMIT $2)";

const KEYS_BEHIND: &str = "\
    SELECT id, received_at < $2::timestamptz, idempotency_key IS NOT NULL FROM report
    WHERE id > $1 ORDER BY id LIMIT $3";

const FORGET: &str = "\
    WITH old AS (
        SELECT id, coalesce(token_id, 0) AS token_id, idempotency_key FROM report
        WHERE id = ANY ($1::bigint[])
    ), forgotten AS (
        DELETE FROM idempotency USING old
        WHERE idempotency.token_id = old.token_id AND key = old.idempotency_key
    )
    UPDATE report SET idempotency_key = NULL WHERE id IN (SELECT id FROM old)";

/// In two statements: what is deleted by one part of a statement is there for the others.
const DELETE_REPORTS_OF: &str = concat!(
    "WITH gone AS (
        DELETE FROM report
        WHERE token_id IN (SELECT id FROM token WHERE organisation = $1) RETURNING id, kind
    ), ",
    count_off!(),
    ", forgotten AS (
        DELETE FROM idempotency
        WHERE token_id IN (SELECT id FROM token WHERE organisation = $1)
    )
    SELECT count(*) FROM gone"
);

const DELETE_TOKENS_OF: &str = "DELETE FROM token WHERE organisation = $1";

const INSERT_ERASURE: &str =
    "INSERT INTO erasure (kind, hash, reports, tokens) VALUES ($1, $2, $3, $4)";

const HOLD: &str = "\
    INSERT INTO upkeep (id, holder, ends_at)
    VALUES (1, $1, clock_timestamp() + $2 * interval '1 millisecond')
    ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at
    WHERE upkeep.holder = excluded.holder OR upkeep.ends_at <= clock_timestamp()";

pub(super) async fn products(client: &Client) -> Result<Vec<String>, Failed> {
    let rows = client.query_typed(PRODUCTS, &[]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

pub(super) async fn known_before(
    client: &Client,
    product: &str,
    instances: &[&str],
    before: &str,
) -> Result<u64, Failed> {
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&instances, Type::TEXT_ARRAY), (&product, Type::TEXT), (&before, Type::TEXT)];
    counted(&client.query_typed_one(KNOWN_BEFORE, &parameters).await?)
}

/// The parameters of a target, and the statement that finds it.
fn target_of(target: &Target) -> (&'static str, Vec<String>) {
    match target {
        Target::Instance(name) => (OF_INSTANCE, vec![text(name)]),
        Target::Organisation(name) => (OF_ORGANISATION, vec![text(name)]),
        Target::Server { id, product, token_id, organisation, anonymous } => {
            let organisation = organisation.as_deref().unwrap_or_default();
            let whose = if *anonymous { "anonymous" } else { "" };
            let token_id = token_id.map_or_else(String::new, |id| id.to_string());
            let texts = [text(id), text(product), text(organisation), whose.to_owned(), token_id];
            (OF_SERVER, texts.to_vec())
        }
        Target::Old { kind, product, before } => {
            (OLD, vec![text(product), kind.as_str().to_owned(), before.clone()])
        }
    }
}

pub(super) async fn find(
    client: &Client,
    target: &Target,
    after: i64,
    most: usize,
) -> Result<Vec<i64>, Failed> {
    let (found, texts) = target_of(target);
    let next = texts.len() + 1;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> =
        texts.iter().map(|text| -> (&(dyn ToSql + Sync), Type) { (text, Type::TEXT) }).collect();
    let statement = if let Target::Old { .. } = target {
        // As the index has them: in the order of positions all reports would be looked at.
        format!("{found} ORDER BY received_at, id LIMIT ${next}")
    } else {
        parameters.push((&after, Type::INT8));
        format!(
            "SELECT id FROM ({found}) AS found WHERE id > ${next} ORDER BY id LIMIT ${}",
            next + 1
        )
    };
    parameters.push((&most, Type::INT8));
    let rows = client.query_typed(&statement, &parameters).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

pub(super) async fn count(client: &Client, target: &Target) -> Result<u64, Failed> {
    let (found, texts) = target_of(target);
    let statement = format!("SELECT count(*) FROM ({found}) AS found");
    let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
        texts.iter().map(|text| -> (&(dyn ToSql + Sync), Type) { (text, Type::TEXT) }).collect();
    counted(&client.query_typed_one(&statement, &parameters).await?)
}

/// Returns how many of them were there.
pub(super) async fn delete(
    client: &Client,
    positions: &[i64],
    keep_keys_since: Option<&str>,
) -> Result<u64, Failed> {
    client.batch_execute("BEGIN").await?;
    let deleted = delete_in_transaction(client, positions, keep_keys_since).await;
    client.batch_execute(if deleted.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    deleted
}

async fn delete_in_transaction(
    client: &Client,
    positions: &[i64],
    keep_keys_since: Option<&str>,
) -> Result<u64, Failed> {
    client.query_typed_one(tally::LOCK, &[]).await?;
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&positions, Type::INT8_ARRAY), (&keep_keys_since, Type::TEXT)];
    counted(&client.query_typed_one(DELETE, &parameters).await?)
}

pub(super) async fn forget_left_keys(
    client: &Client,
    before: &str,
    most: usize,
) -> Result<u64, Failed> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&before, Type::TEXT), (&most, Type::INT8)];
    Ok(client.execute_typed(FORGET_LEFT, &parameters).await?)
}

pub(super) async fn forget_keys(
    client: &Client,
    before: &str,
    after: i64,
    most: usize,
) -> Result<Looked, Failed> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&after, Type::INT8), (&before, Type::TEXT), (&limit, Type::INT8)];
    let rows = client.query_typed(KEYS_BEHIND, &parameters).await?;
    let (mut keyed, mut looked) = (Vec::new(), Looked { to: after, more: rows.len() == most });
    for row in rows {
        if !row.try_get::<_, bool>(1)? {
            looked.more = false;
            break;
        }
        looked.to = row.try_get(0)?;
        if row.try_get(2)? {
            keyed.push(looked.to);
        }
    }
    if !keyed.is_empty() {
        client.execute_typed(FORGET, &[(&keyed, Type::INT8_ARRAY)]).await?;
    }
    Ok(looked)
}

/// Ends an erasure; returns how many reports came in the last moment.
pub(super) async fn close_erasure(client: &Client, audit: &Audit) -> Result<u64, Failed> {
    client.batch_execute("BEGIN").await?;
    let closed = close_in_transaction(client, audit).await;
    client.batch_execute(if closed.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    closed
}

async fn close_in_transaction(client: &Client, audit: &Audit) -> Result<u64, Failed> {
    let (mut reports, mut tokens) = (0, 0);
    if let Some(name) = &audit.organisation {
        client.query_typed_one(tally::LOCK, &[]).await?;
        let name = text(name);
        reports =
            counted(&client.query_typed_one(DELETE_REPORTS_OF, &[(&name, Type::TEXT)]).await?)?;
        tokens = client.execute_typed(DELETE_TOKENS_OF, &[(&name, Type::TEXT)]).await?;
    }
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let (hash, all, tokens) = (&audit.hash[..], number(audit.reports + reports), number(tokens));
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&audit.kind, Type::TEXT),
        (&hash, Type::BYTEA),
        (&all, Type::INT8),
        (&tokens, Type::INT8),
    ];
    client.execute_typed(INSERT_ERASURE, &parameters).await?;
    Ok(reports)
}

pub(super) async fn hold_upkeep(
    client: &Client,
    holder: &str,
    time: Duration,
) -> Result<bool, Failed> {
    let time = milliseconds(time);
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&holder, Type::TEXT), (&time, Type::INT8)];
    Ok(client.execute_typed(HOLD, &parameters).await? > 0)
}
