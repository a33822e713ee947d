//! Batches of reports: one statement for each.

use std::collections::HashMap;

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::failure::Failed;
use super::text::text;
use crate::store::batch::{Done, NewToken, Work};
use crate::store::registrant::Registrant;
use crate::store::row::{Body, Purpose, Report, Row};

/// The row of the last position is locked until the commit, so that positions are given in the order of
/// commits; the time is told under the lock. A key that is known keeps its report out, and so does a token
/// that has ended: whoever looked it up did so a while ago.
const INSERT: &str = "\
    WITH given AS (
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
            $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) WITH ORDINALITY
        AS t (token_id, kind, product, instance, key, cluster_id, server_id, host, version, data, n)
    ), input AS (
        SELECT * FROM given WHERE token_id IS NULL OR EXISTS (SELECT 1 FROM token
            WHERE token.id = token_id AND (ends_at IS NULL OR ends_at > clock_timestamp()))
    ), bump AS (
        UPDATE last_position SET position = position + $11::bigint WHERE id = 1
        RETURNING position - $11::bigint AS base, clock_timestamp() AS at
    ), fresh AS (
        INSERT INTO idempotency (token_id, key, kind, product, seen_at)
        SELECT coalesce(token_id, 0), key, kind, product, at FROM bump, input
        WHERE key IS NOT NULL ORDER BY coalesce(token_id, 0), key
        ON CONFLICT DO NOTHING RETURNING token_id, key
    ), stored AS (
        INSERT INTO report (id, received_at, token_id, kind, product, instance, idempotency_key,
            cluster_id, server_id, host, version, data)
        SELECT base + n, at, token_id, kind, product, instance, key,
            cluster_id, server_id, host, version, data
        FROM bump, input
        WHERE key IS NULL OR EXISTS (SELECT 1 FROM fresh
            WHERE fresh.token_id = coalesce(input.token_id, 0) AND fresh.key = input.key)
        RETURNING id
    ), others AS (
        INSERT INTO other_id (id, report_id)
        SELECT o.id, stored.id FROM bump, unnest($12::text[], $13::bigint[]) AS o (id, n)
        JOIN stored ON true
        WHERE stored.id = base + o.n
    )
    SELECT stored.id - base FROM stored, bump";

const TOKEN_COUNTS: &str = "\
    SELECT EXISTS (SELECT 1 FROM token
        WHERE id = $1 AND (ends_at IS NULL OR ends_at > clock_timestamp()))";

const FIRST_WITH_KEY: &str = "\
    SELECT kind, product FROM idempotency WHERE token_id = $1 AND key = $2";

/// A token that is there is from a try before: its hash is as random as it is.
const INSERT_TOKEN: &str = "\
    WITH new AS (
        INSERT INTO token (hash, organisation) VALUES ($1, $2)
        ON CONFLICT (hash) DO NOTHING RETURNING id
    )
    INSERT INTO registration (token_id, email, cluster_id, product)
    SELECT id, $3, $4, $5 FROM new WHERE $3 IS NOT NULL";

/// Shows that the database takes a write.
const BARRIER: &str = "UPDATE last_position SET position = position WHERE id = 1";

/// Makes jobs durable, together as far as they are reports.
pub(super) async fn append(client: &Client, works: &[&Work]) -> Result<Vec<Done>, Failed> {
    let mut done = vec![Done::Nothing; works.len()];
    let mut reports = Vec::new();
    for (place, work) in works.iter().enumerate() {
        match work {
            Work::Report(report) => reports.push((place, report)),
            Work::Token(token) => {
                insert_token(client, token).await?;
                done[place] = Done::Stored;
            }
            Work::Barrier => {}
        }
    }
    if reports.is_empty() {
        client.batch_execute(BARRIER).await?;
    } else {
        insert_reports(client, &reports, &mut done).await?;
    }
    Ok(done)
}

/// The columns of a batch.
#[derive(Debug, Default)]
pub(super) struct Columns {
    token_id: Vec<Option<i64>>,
    kind: Vec<&'static str>,
    product: Vec<String>,
    instance: Vec<Option<String>>,
    key: Vec<Option<String>>,
    cluster_id: Vec<Option<String>>,
    server_id: Vec<Option<String>>,
    host: Vec<Option<String>>,
    version: Vec<Option<String>>,
    data: Vec<Option<String>>,
    other: Vec<String>,
    other_of: Vec<i64>,
}

impl Columns {
    pub(super) fn push(&mut self, token_id: Option<i64>, key: Option<&str>, row: &Row) {
        self.token_id.push(token_id);
        self.kind.push(row.kind().as_str());
        self.product.push(text(&row.product));
        self.instance.push(row.ids.instance.as_deref().map(text));
        self.key.push(key.map(text));
        let some = |value: &String| Some(text(value));
        let (cluster_id, server_id, host, version, data) = match &row.body {
            Body::Server { cluster_id, server_id, host, version } => {
                (some(cluster_id), some(server_id), some(host), some(version), None)
            }
            Body::Stats { cluster_id, server_id, data } => {
                (some(cluster_id), some(server_id), None, None, some(data))
            }
            Body::Usage { data } => (None, None, None, None, some(data)),
        };
        self.cluster_id.push(cluster_id);
        self.server_id.push(server_id);
        self.host.push(host);
        self.version.push(version);
        self.data.push(data);
        // Ordinals begin with 1.
        let n = i64::try_from(self.kind.len()).unwrap_or(i64::MAX);
        for other in &row.ids.others {
            self.other.push(text(other));
            self.other_of.push(n);
        }
    }

    /// The columns of the reports, in this order.
    pub(super) fn parameters(&self) -> [(&(dyn ToSql + Sync), Type); 10] {
        [
            (&self.token_id, Type::INT8_ARRAY),
            (&self.kind, Type::TEXT_ARRAY),
            (&self.product, Type::TEXT_ARRAY),
            (&self.instance, Type::TEXT_ARRAY),
            (&self.key, Type::TEXT_ARRAY),
            (&self.cluster_id, Type::TEXT_ARRAY),
            (&self.server_id, Type::TEXT_ARRAY),
            (&self.host, Type::TEXT_ARRAY),
            (&self.version, Type::TEXT_ARRAY),
            (&self.data, Type::TEXT_ARRAY),
        ]
    }

    /// Other ids, and which of the reports each is of, from 1 on.
    pub(super) fn others(&self) -> [(&(dyn ToSql + Sync), Type); 2] {
        [(&self.other, Type::TEXT_ARRAY), (&self.other_of, Type::INT8_ARRAY)]
    }
}

async fn insert_reports(
    client: &Client,
    reports: &[(usize, &Report)],
    done: &mut [Done],
) -> Result<(), Failed> {
    let (mut columns, mut sent) = (Columns::default(), Vec::new());
    // The first report with a key decides, in one batch as among many.
    let mut first = HashMap::<(Option<i64>, &str), &Report>::new();
    for (place, report) in reports {
        if let Some(key) = report.idempotency_key.as_deref() {
            if let Some(before) = first.get(&(report.token_id, key)) {
                done[*place] = repeated(report, &purpose(before));
                continue;
            }
            first.insert((report.token_id, key), report);
        }
        columns.push(report.token_id, report.idempotency_key.as_deref(), &report.row);
        sent.push((*place, *report));
    }
    let count = i64::try_from(sent.len()).unwrap_or(i64::MAX);
    let mut parameters = columns.parameters().to_vec();
    parameters.push((&count, Type::INT8));
    parameters.extend(columns.others());
    let rows = client.query_typed(INSERT, &parameters).await?;
    let mut stored = vec![false; sent.len()];
    for row in rows {
        let n = usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default();
        if let Some(stored) = n.checked_sub(1).and_then(|n| stored.get_mut(n)) {
            *stored = true;
        }
    }
    for ((place, report), stored) in sent.into_iter().zip(stored) {
        if stored {
            done[place] = Done::Stored;
        } else if let Some(why) = kept_out(client, report).await? {
            done[place] = why;
        } else {
            // Alone: the others are stored.
            Box::pin(insert_reports(client, &[(place, report)], done)).await?;
        }
    }
    Ok(())
}

/// Why a report was not stored; `None` if its key was forgotten in this very moment.
async fn kept_out(client: &Client, report: &Report) -> Result<Option<Done>, Failed> {
    let key = report.idempotency_key.as_deref();
    if let Some(key) = key
        && let Some(first) = first_with_key(client, report.token_id, key).await?
    {
        return Ok(Some(repeated(report, &first)));
    }
    if let Some(token_id) = report.token_id {
        let row = client.query_typed_one(TOKEN_COUNTS, &[(&token_id, Type::INT8)]).await?;
        if !row.try_get::<_, bool>(0)? {
            return Ok(Some(Done::TokenEnded));
        }
    }
    match key {
        Some(_) => Ok(None),
        None => Err(Failed::Other("a report was not stored, and nothing says why".to_owned())),
    }
}

fn purpose(report: &Report) -> Purpose {
    Purpose { kind: report.row.kind(), product: text(&report.row.product) }
}

fn repeated(report: &Report, first: &Purpose) -> Done {
    if purpose(report) == *first { Done::Repeated } else { Done::KeyTaken }
}

/// What the first report with a key was for.
pub(super) async fn first_with_key(
    client: &Client,
    token_id: Option<i64>,
    key: &str,
) -> Result<Option<Purpose>, Failed> {
    let (sender, key) = (token_id.unwrap_or(0), text(key));
    let row = client
        .query_typed_opt(FIRST_WITH_KEY, &[(&sender, Type::INT8), (&key, Type::TEXT)])
        .await?;
    let Some(row) = row else { return Ok(None) };
    let kind = row.try_get::<_, &str>(0)?.parse();
    let kind =
        kind.map_err(|error: crate::store::kind::InvalidKind| Failed::Other(error.to_string()))?;
    Ok(Some(Purpose { kind, product: row.try_get(1)? }))
}

async fn insert_token(client: &Client, token: &NewToken) -> Result<(), Failed> {
    let NewToken { hash, organisation, registrant } = token;
    let (hash, organisation) = (hash.as_bytes(), text(organisation));
    let of = |field: fn(&Registrant) -> &String| registrant.as_ref().map(|who| text(field(who)));
    let (email, cluster) = (of(|who| &who.email), of(|who| &who.cluster_id));
    let product = of(|who| &who.product);
    client
        .execute_typed(
            INSERT_TOKEN,
            &[
                (&hash, Type::BYTEA),
                (&organisation, Type::TEXT),
                (&email, Type::TEXT),
                (&cluster, Type::TEXT),
                (&product, Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}
