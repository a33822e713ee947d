//! Times of reports as they stand in the tables: milliseconds since 1970 UTC.

use std::time::SystemTime;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::store::time_text::{millis_of, time_of, time_of_millis, time_text};

/// The same times as their texts are, in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Millis(i64);

/// This is not a time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time such as 2026-11-27T08:15:00.123Z")]
struct NotATime(String);

impl Millis {
    /// Before this nothing was stored.
    pub(super) const FIRST: Self = Self(0);

    pub(super) fn of(time: SystemTime) -> Self {
        Self(millis_of(time))
    }

    /// The time of a text that is stored elsewhere.
    pub(super) fn parse(text: &str) -> rusqlite::Result<Self> {
        let time = time_of(text).ok_or_else(|| NotATime(text.to_owned()));
        time.map(Self::of).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }

    pub(super) fn time(self) -> SystemTime {
        time_of_millis(self.0)
    }

    pub(super) fn text(self) -> String {
        time_text(self.time())
    }
}

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = Self(value.as_i64()?);
        // What is not among the times that are stored was put there by somebody else.
        if Self::of(millis.time()) == millis {
            Ok(millis)
        } else {
            Err(FromSqlError::OutOfRange(millis.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::proptest;
    use rusqlite::{Connection, params};

    use super::Millis;
    use crate::store::time_text::time_text;

    /// The last moment of the year 9999 that is stored.
    const LAST: i64 = 253_402_300_799_000;

    fn at(nanos: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
    }

    proptest! {
        #[test]
        fn a_time_has_the_text_that_it_had(millis in 0..=LAST) {
            let text = Millis(millis).text();
            assert_eq!(Millis::parse(&text).unwrap(), Millis(millis));
            assert_eq!(Millis::parse(&text).unwrap().text(), text);
        }

        /// Between two milliseconds as well.
        #[test]
        fn times_compare_as_their_texts_do(one: u64, apart in 0..3_000_000_u64) {
            let (one, other) = (at(one), at(one.saturating_add(apart)));
            let numbers = Millis::of(one).cmp(&Millis::of(other));
            assert_eq!(numbers, time_text(one).cmp(&time_text(other)));
        }
    }

    #[test]
    fn a_time_that_nothing_is_stored_at_has_its_place() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!((Millis::of(early), Millis::of(late)), (Millis::FIRST, Millis(LAST)));
        for time in [early, late] {
            assert_eq!(Millis::of(time).text(), time_text(time));
        }
    }

    #[test]
    fn what_is_not_a_time_is_an_error() {
        for text in ["", "t", "yesterday", "2026-02-30T00:00:00.000Z"] {
            let error = Millis::parse(text).unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}` is not a time")), "{error}");
        }
        let connection = Connection::open_in_memory().unwrap();
        let read = |number: i64| {
            connection.query_row("SELECT ?1", params![number], |row| row.get::<_, Millis>(0))
        };
        for number in [-1, LAST + 1, i64::MIN, i64::MAX] {
            assert!(read(number).is_err(), "{number}");
        }
        assert_eq!([read(0).unwrap(), read(LAST).unwrap()], [Millis(0), Millis(LAST)]);
    }
}
