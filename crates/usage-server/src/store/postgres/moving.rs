//! All rows, out of a database and into one.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::append::Columns;
use super::failure::Failed;
use super::page::{body, kind};
use super::tally;
use super::text::{text, time_column};
use crate::store::backend::{PAGE_BYTES, PAGE_ROWS};
use crate::store::moving::{LeftKey, MovedErasure, MovedReport, MovedToken, Portion};
use crate::store::row;
use crate::store::stored::ids;

const TOKENS: &str = concat!(
    "SELECT id, hash, organisation, ",
    time_column!("created_at"),
    ", ",
    time_column!("ends_at"),
    ", email, cluster_id, product
    FROM token LEFT JOIN registration ON token_id = id ORDER BY id"
);

/// A page ends with the row that makes it too large.
const REPORTS: &str = concat!(
    "WITH page AS (
        SELECT report.*, sum(octet_length(coalesce(data, ''))) OVER (ORDER BY id) AS bytes
        FROM (SELECT * FROM report WHERE id > $1 ORDER BY id LIMIT $2) AS report
    )
    SELECT id, ",
    time_column!("received_at"),
    ", token_id, idempotency_key, kind, product, cluster_id, server_id, host, version, data
    FROM page WHERE bytes - octet_length(coalesce(data, '')) < $3 ORDER BY id"
);

const KEYS: &str = concat!(
    "SELECT token_id, key, kind, product, ",
    time_column!("seen_at"),
    " FROM idempotency WHERE has_left AND (token_id, key) > ($1, $2)
    ORDER BY token_id, key LIMIT $3"
);

const ERASURES: &str = concat!(
    "SELECT id, ",
    time_column!("erased_at"),
    ", kind, hash, reports, tokens FROM erasure ORDER BY id"
);

const TAKE_TOKEN: &str = "\
    INSERT INTO token (id, hash, organisation, created_at, ends_at)
    VALUES ($1, $2, $3, $4::timestamptz, $5::timestamptz) ON CONFLICT DO NOTHING";

const TAKE_REGISTRATION: &str = "\
    INSERT INTO registration (token_id, email, cluster_id, product) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";

const TAKE_REPORTS: &str = "\
    WITH input AS (
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
            $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[])
        AS t (token_id, kind, product, instance, key, cluster_id, server_id, host, version, data,
            id, at)
    ), known AS (
        INSERT INTO idempotency (token_id, key, kind, product, seen_at)
        SELECT coalesce(token_id, 0), key, kind, product, at::timestamptz FROM input
        WHERE key IS NOT NULL ON CONFLICT DO NOTHING
    ), stored AS (
        INSERT INTO report (id, received_at, token_id, kind, product, instance, idempotency_key,
            cluster_id, server_id, host, version, data)
        SELECT id, at::timestamptz, token_id, kind, product, instance, key,
            cluster_id, server_id, host, version, data FROM input
        ON CONFLICT (id) DO NOTHING RETURNING id
    )
    INSERT INTO other_id (id, report_id)
    SELECT o.id, ($11::bigint[])[o.n] FROM unnest($13::text[], $14::bigint[]) AS o (id, n)
    WHERE ($11::bigint[])[o.n] IN (SELECT id FROM stored)";

const TAKE_KEY: &str = "\
    INSERT INTO idempotency (token_id, key, kind, product, seen_at, has_left)
    VALUES ($1, $2, $3, $4, $5::timestamptz, true) ON CONFLICT DO NOTHING";

const TAKE_ERASURE: &str = "\
    INSERT INTO erasure (id, erased_at, kind, hash, reports, tokens)
    VALUES ($1, $2::timestamptz, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

/// What is made later gets ids behind these.
const SEQUENCES: &str = "\
    SELECT setval(pg_get_serial_sequence('token', 'id'), greatest((SELECT max(id) FROM token), 1));
    SELECT setval(pg_get_serial_sequence('erasure', 'id'),
        greatest((SELECT max(id) FROM erasure), 1))";

pub(super) async fn tokens(client: &Client) -> Result<Vec<MovedToken>, Failed> {
    let rows = client.query_typed(TOKENS, &[]).await?;
    let token = |row: &Row| {
        let registration = match row.try_get(5)? {
            Some(email) => Some([email, row.try_get(6)?, row.try_get(7)?]),
            None => None,
        };
        Ok(MovedToken {
            id: row.try_get(0)?,
            hash: row.try_get(1)?,
            organisation: row.try_get(2)?,
            created_at: row.try_get(3)?,
            ends_at: row.try_get(4)?,
            registration,
        })
    };
    rows.iter().map(token).collect()
}

pub(super) async fn reports(client: &Client, after: i64) -> Result<Vec<MovedReport>, Failed> {
    let most = i64::try_from(PAGE_ROWS).unwrap_or(i64::MAX);
    let bytes = i64::try_from(PAGE_BYTES).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&after, Type::INT8), (&most, Type::INT8), (&bytes, Type::INT8)];
    let rows = client.query_typed(REPORTS, &parameters).await?;
    rows.iter().map(moved_report).collect()
}

fn moved_report(row: &Row) -> Result<MovedReport, Failed> {
    let (product, body): (String, _) = (row.try_get(5)?, body(row)?);
    let ids = ids(product.clone(), body.clone());
    let ids = ids.map_err(|error| Failed::Other(error.to_string()))?;
    Ok(MovedReport {
        position: row.try_get(0)?,
        received_at: row.try_get(1)?,
        token_id: row.try_get(2)?,
        key: row.try_get(3)?,
        row: row::Row { product, ids, body },
    })
}

pub(super) async fn keys(
    client: &Client,
    after: Option<&(i64, String)>,
) -> Result<Vec<LeftKey>, Failed> {
    let (token_id, key) = after.map_or((-1, ""), |(token_id, key)| (*token_id, key.as_str()));
    let most = i64::try_from(PAGE_ROWS).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&token_id, Type::INT8), (&key, Type::TEXT), (&most, Type::INT8)];
    let rows = client.query_typed(KEYS, &parameters).await?;
    let key = |row: &Row| {
        Ok(LeftKey {
            token_id: row.try_get(0)?,
            key: row.try_get(1)?,
            kind: kind(row.try_get(2)?)?,
            product: row.try_get(3)?,
            seen_at: row.try_get(4)?,
        })
    };
    rows.iter().map(key).collect()
}

pub(super) async fn erasures(client: &Client) -> Result<Vec<MovedErasure>, Failed> {
    let rows = client.query_typed(ERASURES, &[]).await?;
    let erasure = |row: &Row| {
        Ok(MovedErasure {
            id: row.try_get(0)?,
            erased_at: row.try_get(1)?,
            kind: row.try_get(2)?,
            hash: row.try_get(3)?,
            reports: row.try_get(4)?,
            tokens: row.try_get(5)?,
        })
    };
    rows.iter().map(erasure).collect()
}

/// How many reports there are, and the last position of them.
pub(super) async fn extent(client: &Client) -> Result<(i64, i64), Failed> {
    let extent = "SELECT count(*), coalesce(max(id), 0) FROM report";
    let row = client.query_typed_one(extent, &[]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

pub(super) async fn last_position(client: &Client) -> Result<i64, Failed> {
    let last = "SELECT position FROM last_position WHERE id = 1";
    Ok(client.query_typed_one(last, &[]).await?.try_get(0)?)
}

/// No position up to this is given again.
pub(super) async fn go_on_after(client: &Client, position: i64) -> Result<(), Failed> {
    let bump = "UPDATE last_position SET position = greatest(position, $1) WHERE id = 1";
    client.execute_typed(bump, &[(&position, Type::INT8)]).await?;
    client.batch_execute(SEQUENCES).await?;
    Ok(())
}

pub(super) async fn take(client: &Client, portion: &Portion) -> Result<(), Failed> {
    client.batch_execute("BEGIN").await?;
    let taken = take_in_transaction(client, portion).await;
    client.batch_execute(if taken.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    taken
}

async fn take_in_transaction(client: &Client, portion: &Portion) -> Result<(), Failed> {
    for MovedToken { id, hash, organisation, created_at, ends_at, registration } in &portion.tokens
    {
        let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
            (id, Type::INT8),
            (hash, Type::BYTEA),
            (&text(organisation), Type::TEXT),
            (created_at, Type::TEXT),
            (ends_at, Type::TEXT),
        ];
        client.execute_typed(TAKE_TOKEN, &parameters).await?;
        if let Some(registration) = registration {
            let [email, cluster_id, product] = registration.each_ref().map(|field| text(field));
            let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
                (id, Type::INT8),
                (&email, Type::TEXT),
                (&cluster_id, Type::TEXT),
                (&product, Type::TEXT),
            ];
            client.execute_typed(TAKE_REGISTRATION, &parameters).await?;
        }
    }
    if let Some(first) = portion.reports.first() {
        tally::count_again(client, first.position).await?;
        take_reports(client, &portion.reports).await?;
    }
    for LeftKey { token_id, key, kind, product, seen_at } in &portion.keys {
        let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
            (token_id, Type::INT8),
            (key, Type::TEXT),
            (&kind.as_str(), Type::TEXT),
            (&text(product), Type::TEXT),
            (seen_at, Type::TEXT),
        ];
        client.execute_typed(TAKE_KEY, &parameters).await?;
    }
    for MovedErasure { id, erased_at, kind, hash, reports, tokens } in &portion.erasures {
        let parameters: [(&(dyn ToSql + Sync), Type); 6] = [
            (id, Type::INT8),
            (erased_at, Type::TEXT),
            (kind, Type::TEXT),
            (hash, Type::BYTEA),
            (reports, Type::INT8),
            (tokens, Type::INT8),
        ];
        client.execute_typed(TAKE_ERASURE, &parameters).await?;
    }
    tally::take_refusals(client, &portion.refusals).await
}

async fn take_reports(client: &Client, reports: &[MovedReport]) -> Result<(), Failed> {
    let (mut columns, mut positions, mut times) = (Columns::default(), Vec::new(), Vec::new());
    for MovedReport { position, received_at, token_id, key, row } in reports {
        columns.push(*token_id, key.as_deref(), row);
        positions.push(*position);
        times.push(received_at.as_str());
    }
    let mut parameters = columns.parameters().to_vec();
    parameters.push((&positions, Type::INT8_ARRAY));
    parameters.push((&times, Type::TEXT_ARRAY));
    parameters.extend(columns.others());
    client.execute_typed(TAKE_REPORTS, &parameters).await?;
    Ok(())
}
