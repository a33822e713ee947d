//! Keys and ids, in as little room as they can have. Most are random bytes that somebody wrote as
//! hexadecimal digits, and stand in a table and in an index.
//!
//! A text of nothing but lower-case hexadecimal digits, an even number of them and at least
//! [`LEAST`], is stored as a blob of half its length; all other text is stored as text. So each text has
//! one value, and each value one text: columns and parameters are compared as they are. A blob sorts
//! behind all text.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

use crate::store::instance::hex;

/// How many digits are packed: what is shorter is somebody's number or name, to be read in any `SQLite`
/// shell.
const LEAST: usize = 16;

/// A text whose column is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed<T>(pub(super) T);

impl<T: AsRef<str>> ToSql for Packed<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = self.0.as_ref();
        Ok(bytes_of(text).map_or_else(|| text.into(), Into::into))
    }
}

impl FromSql for Packed<String> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => Ok(Self(hex(bytes))),
            _ => String::column_result(value).map(Self),
        }
    }
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if text.len() < LEAST {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use rusqlite::types::Value;
    use rusqlite::{Connection, params};

    use super::Packed;

    /// What `SQLite` has of a text, and the text that is made of it.
    fn through(connection: &Connection, text: &str) -> (Value, String) {
        connection
            .prepare_cached("SELECT ?1, ?1")
            .unwrap()
            .query_row(params![Packed(text)], |row| {
                Ok((row.get(0)?, row.get::<_, Packed<String>>(1)?.0))
            })
            .unwrap()
    }

    #[test]
    fn hexadecimal_digits_take_half_the_room() {
        let connection = Connection::open_in_memory().unwrap();
        for (text, bytes) in [
            ("0123456789abcdef", &[0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef][..]),
            ("0000000000000000", &[0; 8]),
            ("ffffffffffffffffffffffffffffffff", &[0xff; 16]),
            ("ff00ff00ff00ff00aa", &[0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xaa]),
        ] {
            assert_eq!(through(&connection, text), (Value::Blob(bytes.to_vec()), text.to_owned()));
        }
    }

    #[test]
    fn all_other_text_is_as_it_was() {
        let connection = Connection::open_in_memory().unwrap();
        for text in [
            "",
            "a",
            "serv1",
            // Too short, and an odd number.
            "0123456789abcd",
            "0123456789abcde",
            "0123456789abcdef0",
            // Upper case would come back as another text.
            "0123456789ABCDEF",
            "0123456789abcdeF",
            // A character beside the digits, on either side.
            "0123456789abcde/",
            "0123456789abcde:",
            "0123456789abcde`",
            "0123456789abcdeg",
            "0123456789abcdef\0\0",
            "0123456789abcdé",
            " 0123456789abcdef ",
            "7d444840-9dc0-11d1-b245-5ffdce74fad2",
            "٠١٢٣٤٥٦٧",
        ] {
            assert_eq!(
                through(&connection, text),
                (Value::Text(text.to_owned()), text.to_owned()),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), digits in "[0-9a-f]{0,40}") {
            let connection = Connection::open_in_memory().unwrap();
            for text in [&text, &digits, &format!("{digits}{text}"), &digits.to_uppercase()] {
                assert_eq!(&through(&connection, text).1, text);
            }
        }

        /// As texts are the same, so are their values: as `SQLite` compares them.
        #[test]
        fn what_is_the_same_stays_so(one in "[0-9a-fA-F]{14,18}", other in "[0-9a-fA-F]{14,18}") {
            let connection = Connection::open_in_memory().unwrap();
            let equal = |one: &str, other: &str| -> bool {
                connection
                    .query_row("SELECT ?1 = ?2", params![Packed(one), Packed(other)], |row| row.get(0))
                    .unwrap()
            };
            assert!(equal(&one, &one));
            assert_eq!(equal(&one, &other), one == other);
            assert_eq!(equal(&one, &one.to_lowercase()), one == one.to_lowercase());
        }
    }
}
