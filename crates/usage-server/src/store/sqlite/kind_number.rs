//! Kinds as they stand in the tables. A number is never given to another kind.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::store::kind::Kind;

fn number(kind: Kind) -> i64 {
    match kind {
        Kind::Server => 1,
        Kind::Stats => 2,
        Kind::Usage => 3,
    }
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(number(*self).into())
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let found = value.as_i64()?;
        let kind = Self::ALL.into_iter().find(|kind| number(*kind) == found);
        kind.ok_or(FromSqlError::OutOfRange(found))
    }
}
