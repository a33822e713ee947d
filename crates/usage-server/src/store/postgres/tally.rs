//! What is counted beside the reports: how many there are, and how many requests were refused.

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::delete::products;
use super::failure::Failed;
use super::text::{text, time_column};
use crate::store::backend::NEAR;
use crate::store::figures::Figures;
use crate::store::kind::Kind;
use crate::store::refusals::DayRefusals;
use crate::store::selection::Selection;
use crate::store::time_text::{time_of, time_text};

/// Whoever counts or deletes holds this row until the commit, and looks at reports in a later statement:
/// so a report that goes was counted, or will not be. Those who store reports do not come by here.
pub(super) const LOCK: &str = "SELECT counted_to FROM tally WHERE id = 1 FOR UPDATE";

/// Part of a statement whose part `gone` has what is deleted.
macro_rules! count_off {
    () => {
        "counted_off AS (
            UPDATE tally SET
                servers = servers - (SELECT count(*) FROM gone
                    WHERE gone.kind = 'server' AND gone.id <= counted_to),
                stats = stats - (SELECT count(*) FROM gone
                    WHERE gone.kind = 'stats' AND gone.id <= counted_to),
                usage = usage - (SELECT count(*) FROM gone
                    WHERE gone.kind = 'usage' AND gone.id <= counted_to)
        )"
    };
}

pub(super) use count_off;

const IS_BEHIND: &str = "\
    SELECT EXISTS (SELECT 1 FROM report WHERE id > (SELECT counted_to FROM tally))";

const COUNT_ON: &str = "\
    WITH next AS (
        SELECT id, kind FROM report WHERE id > (SELECT counted_to FROM tally)
        ORDER BY id LIMIT $1
    ), added AS (
        SELECT count(*) AS count, max(id) AS last,
            count(*) FILTER (WHERE kind = 'server') AS servers,
            count(*) FILTER (WHERE kind = 'stats') AS stats,
            count(*) FILTER (WHERE kind = 'usage') AS usage
        FROM next
    )
    UPDATE tally SET counted_to = coalesce(last, counted_to), servers = tally.servers + added.servers,
        stats = tally.stats + added.stats, usage = tally.usage + added.usage
    FROM added RETURNING count";

/// What comes in below what was counted has it all counted again.
const COUNT_AGAIN: &str = "\
    UPDATE tally SET counted_to = 0, servers = 0, stats = 0, usage = 0 WHERE counted_to >= $1";

const FIGURES: &str = concat!(
    "SELECT servers, stats, usage, pg_database_size(current_database()), (SELECT ",
    time_column!("pruned_at"),
    " FROM upkeep) FROM tally"
);

/// A look at the index for each product and kind.
const OLDEST: &str = concat!(
    "WITH RECURSIVE each (name) AS (
        SELECT min(product) FROM report
        UNION ALL
        SELECT (SELECT min(product) FROM report WHERE product > name) FROM each
        WHERE name IS NOT NULL
    ), oldest (at) AS (
        SELECT min(first.received_at)
        FROM each CROSS JOIN LATERAL (
            SELECT received_at FROM report WHERE product = name AND kind = $1
            ORDER BY received_at LIMIT 1
        ) AS first
        WHERE name IS NOT NULL
    )
    SELECT ",
    time_column!("at"),
    " FROM oldest"
);

/// Where much is selected the first of it is near, and to look at all of it would take long.
const FIRST_NEAR: &str = "\
    SELECT min(id) FROM (SELECT * FROM report WHERE id > $4 ORDER BY id LIMIT $5) AS next
    WHERE ($1 IS NULL OR product = $1) AND kind = ANY ($2::text[]) AND received_at >= $3::timestamptz";

/// The index has a product, a kind and times: what is looked at is what is selected, and not what stands
/// before it. The sum keeps `PostgreSQL` from looking at all reports in the order of their positions. One
/// statement over all products would be taken for so much work that it is compiled first.
const FIRST_SINCE: &str = "\
    SELECT min(id + 0) FROM report
    WHERE product = $1 AND kind = ANY ($2::text[]) AND received_at >= $3::timestamptz AND id + 0 > $4";

const NOTE_PRUNED: &str = "UPDATE upkeep SET pruned_at = clock_timestamp() WHERE holder = $1";

/// In one order, so that servers that do the same wait for each other in a row.
const ADD_REFUSALS: &str = "\
    INSERT INTO refusal (day, reason, count)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ORDER BY 1, 2
    ON CONFLICT (day, reason) DO UPDATE SET count = refusal.count + excluded.count";

/// Taken over once, however often it is tried.
const TAKE_REFUSALS: &str = "\
    INSERT INTO refusal (day, reason, count)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ORDER BY 1, 2
    ON CONFLICT (day, reason) DO UPDATE SET count = greatest(refusal.count, excluded.count)";

const REFUSALS: &str = "\
    SELECT day, reason, count FROM refusal WHERE day >= $1 ORDER BY day, reason";

/// Counts the next reports, and says whether there may be more.
pub(super) async fn count_on(client: &Client, most: usize) -> Result<bool, Failed> {
    let is_behind: bool = client.query_typed_one(IS_BEHIND, &[]).await?.try_get(0)?;
    if !is_behind {
        return Ok(false);
    }
    client.batch_execute("BEGIN").await?;
    let counted = count_in_transaction(client, most).await;
    client.batch_execute(if counted.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    counted
}

async fn count_in_transaction(client: &Client, most: usize) -> Result<bool, Failed> {
    client.query_typed_one(LOCK, &[]).await?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let row = client.query_typed_one(COUNT_ON, &[(&most, Type::INT8)]).await?;
    Ok(row.try_get::<_, i64>(0)? == most)
}

/// Has all reports counted again, if one is put where it was counted already.
pub(super) async fn count_again(client: &Client, first: i64) -> Result<(), Failed> {
    client.execute_typed(COUNT_AGAIN, &[(&first, Type::INT8)]).await?;
    Ok(())
}

pub(super) async fn figures(client: &Client) -> Result<Figures, Failed> {
    let count = |count: i64| u64::try_from(count).unwrap_or_default();
    let time = |text: Option<String>| text.as_deref().and_then(time_of);
    let row = client.query_typed_one(FIGURES, &[]).await?;
    let mut figures = Figures {
        reports: Some([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?].map(count)),
        bytes: count(row.try_get(3)?),
        pruned_at: time(row.try_get(4)?),
        ..Figures::default()
    };
    for (oldest, kind) in figures.oldest.iter_mut().zip(Kind::ALL) {
        let row = client.query_typed_one(OLDEST, &[(&kind.as_str(), Type::TEXT)]).await?;
        *oldest = time(row.try_get(0)?);
    }
    Ok(figures)
}

pub(super) async fn first_since(
    client: &Client,
    selection: &Selection,
) -> Result<Option<i64>, Failed> {
    let since = selection.since.map(time_text).unwrap_or_default();
    let kinds = selection.kind.map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
    let kinds: Vec<_> = kinds.into_iter().map(Kind::as_str).collect();
    let product = selection.product.as_deref().map(text);
    let near = i64::try_from(NEAR).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
        (&product, Type::TEXT),
        (&kinds, Type::TEXT_ARRAY),
        (&since, Type::TEXT),
        (&selection.after, Type::INT8),
        (&near, Type::INT8),
    ];
    let mut first: Option<i64> =
        client.query_typed_one(FIRST_NEAR, &parameters).await?.try_get(0)?;
    if first.is_some() {
        return Ok(first);
    }
    let products = match product {
        Some(product) => vec![product],
        None => products(client).await?,
    };
    for product in products {
        let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
            (&product, Type::TEXT),
            (&kinds, Type::TEXT_ARRAY),
            (&since, Type::TEXT),
            (&selection.after, Type::INT8),
        ];
        let found: Option<i64> =
            client.query_typed_one(FIRST_SINCE, &parameters).await?.try_get(0)?;
        first = first.into_iter().chain(found).min();
    }
    Ok(first)
}

pub(super) async fn note_pruned(client: &Client, holder: &str) -> Result<(), Failed> {
    client.execute_typed(NOTE_PRUNED, &[(&holder, Type::TEXT)]).await?;
    Ok(())
}

pub(super) async fn add_refusals(client: &Client, refusals: &[DayRefusals]) -> Result<(), Failed> {
    store_refusals(client, ADD_REFUSALS, refusals).await
}

pub(super) async fn take_refusals(client: &Client, refusals: &[DayRefusals]) -> Result<(), Failed> {
    store_refusals(client, TAKE_REFUSALS, refusals).await
}

async fn store_refusals(
    client: &Client,
    statement: &str,
    refusals: &[DayRefusals],
) -> Result<(), Failed> {
    let days: Vec<_> = refusals.iter().map(|refusal| refusal.day.as_str()).collect();
    let reasons: Vec<_> = refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
    let count = |refusal: &DayRefusals| i64::try_from(refusal.count).unwrap_or(i64::MAX);
    let counts: Vec<_> = refusals.iter().map(count).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&days, Type::TEXT_ARRAY), (&reasons, Type::TEXT_ARRAY), (&counts, Type::INT8_ARRAY)];
    client.execute_typed(statement, &parameters).await?;
    Ok(())
}

pub(super) async fn refusals(client: &Client, since: &str) -> Result<Vec<DayRefusals>, Failed> {
    let rows = client.query_typed(REFUSALS, &[(&since, Type::TEXT)]).await?;
    let refusal = |row: &tokio_postgres::Row| {
        let count = u64::try_from(row.try_get::<_, i64>(2)?).unwrap_or_default();
        Ok(DayRefusals { day: row.try_get(0)?, reason: row.try_get(1)?, count })
    };
    rows.iter().map(refusal).collect()
}
