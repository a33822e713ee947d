//! Tokens: looked up, listed, ended, replaced, removed.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::failure::Failed;
use super::text::{text, time_column};
use crate::store::sender::Sender;
use crate::store::token::{StoredToken, TokenChange, TokenChoice};
use crate::store::token_hash::TokenHash;

const LOOK_UP: &str = "\
    SELECT id, organisation FROM token
    WHERE hash = $1 AND (ends_at IS NULL OR ends_at > clock_timestamp())";

const HAS: &str = "\
    SELECT EXISTS (SELECT 1 FROM token
        WHERE organisation = $1 AND (ends_at IS NULL OR ends_at > clock_timestamp()))";

const LIST: &str = concat!(
    "SELECT id, organisation, ",
    time_column!("created_at"),
    ", ",
    time_column!("ends_at"),
    ", coalesce(ends_at <= clock_timestamp(), false), email
    FROM token LEFT JOIN registration ON token_id = id
    WHERE organisation <> '' ORDER BY id"
);

const ID: &str = "SELECT id FROM token WHERE hash = $1 AND organisation <> ''";

/// An end is never put off: `least` passes over what is NULL.
const END_ONE: &str = "\
    UPDATE token SET ends_at = least(ends_at, clock_timestamp())
    WHERE id = $1 AND organisation <> ''";

const END_ALL: &str = "\
    UPDATE token SET ends_at = least(ends_at, clock_timestamp()) WHERE organisation = $1";

/// Nothing replaces what is refused already.
const REPLACE: &str = "\
    WITH old AS (
        UPDATE token SET ends_at = least(ends_at, clock_timestamp() + $3 * interval '1 millisecond')
        WHERE id = $1 AND organisation <> '' AND (ends_at IS NULL OR ends_at > clock_timestamp())
        RETURNING id, organisation
    ), new AS (
        INSERT INTO token (hash, organisation) SELECT $2, organisation FROM old RETURNING id
    ), registered AS (
        INSERT INTO registration (token_id, email, cluster_id, product)
        SELECT new.id, email, cluster_id, product
        FROM new, old JOIN registration ON token_id = old.id
    )
    SELECT count(*) FROM new";

/// The rows stay, so that the tokens are refused and the reports keep their place.
const REMOVE: &str = "\
    WITH gone AS (
        UPDATE token SET organisation = '', ends_at = least(ends_at, clock_timestamp())
        WHERE organisation = $1 RETURNING id
    ), forgotten AS (
        DELETE FROM registration WHERE token_id IN (SELECT id FROM gone)
    )
    SELECT count(*) FROM gone";

pub(super) async fn look_up(client: &Client, token: TokenHash) -> Result<Sender, Failed> {
    let row = client.query_typed_opt(LOOK_UP, &[(&token.as_bytes(), Type::BYTEA)]).await?;
    Ok(match row {
        Some(row) => Sender::Known { token_id: row.try_get(0)?, organisation: row.try_get(1)? },
        None => Sender::Unknown,
    })
}

pub(super) async fn has(client: &Client, organisation: &str) -> Result<bool, Failed> {
    let row = client.query_typed_one(HAS, &[(&text(organisation), Type::TEXT)]).await?;
    Ok(row.try_get(0)?)
}

pub(super) async fn list(client: &Client) -> Result<Vec<StoredToken>, Failed> {
    let rows = client.query_typed(LIST, &[]).await?;
    let token = |row: &tokio_postgres::Row| {
        Ok(StoredToken {
            id: row.try_get(0)?,
            organisation: row.try_get(1)?,
            created_at: row.try_get(2)?,
            ends_at: row.try_get(3)?,
            has_ended: row.try_get(4)?,
            email: row.try_get(5)?,
        })
    };
    rows.iter().map(token).collect()
}

pub(super) async fn id(client: &Client, token: TokenHash) -> Result<Option<i64>, Failed> {
    let row = client.query_typed_opt(ID, &[(&token.as_bytes(), Type::BYTEA)]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Returns how many tokens it was about.
pub(super) async fn change(client: &Client, change: &TokenChange) -> Result<u64, Failed> {
    match change {
        TokenChange::End(TokenChoice::Id(id)) => {
            Ok(client.execute_typed(END_ONE, &[(id, Type::INT8)]).await?)
        }
        TokenChange::End(TokenChoice::Organisation(name)) => {
            Ok(client.execute_typed(END_ALL, &[(&text(name), Type::TEXT)]).await?)
        }
        TokenChange::Replace { id, by, overlap } => {
            let wait = milliseconds(*overlap);
            let by = by.as_bytes();
            let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
                [(id, Type::INT8), (&by, Type::BYTEA), (&wait, Type::INT8)];
            counted(&client.query_typed_one(REPLACE, &parameters).await?)
        }
        TokenChange::Remove { organisation } => {
            let name = text(organisation);
            counted(&client.query_typed_one(REMOVE, &[(&name, Type::TEXT)]).await?)
        }
    }
}

/// At most a thousand years, which the database can add to its time.
pub(super) fn milliseconds(time: Duration) -> i64 {
    let most = 1000 * 366 * 24 * 60 * 60 * 1000;
    i64::try_from(time.as_millis()).unwrap_or(most).min(most)
}

pub(super) fn counted(row: &tokio_postgres::Row) -> Result<u64, Failed> {
    Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}
