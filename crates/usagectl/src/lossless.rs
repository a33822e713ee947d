//! What a parser drops without a word: of a key that stands twice the first value, of an integer
//! beyond 64 bits the last digits.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// What would be lost.
pub(crate) struct Loss {
    pub(crate) path: String,
    pub(crate) message: String,
}

/// Refuses what would lose something. `json` is known to be JSON, and not too deep.
pub(crate) fn check(json: &str) -> Result<(), Loss> {
    // What is known to be JSON can be read.
    serde_json::from_str(json).map_or(Ok(()), |value| walk(value, ""))
}

/// The path to an item of the list at `path`.
pub(crate) fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// The path to an entry of the object at `path`.
pub(crate) fn entry(path: &str, key: &str) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    format!("{path}{dot}{key}")
}

fn walk(value: &RawValue, path: &str) -> Result<(), Loss> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            items.into_iter().enumerate().try_for_each(|(at, value)| walk(value, &item(path, at)))
        }
        Some(b'{') => {
            let entries: Entries<'_> = serde_json::from_str(text).unwrap_or_default();
            let mut seen = HashSet::new();
            entries.0.into_iter().try_for_each(|(key, value)| {
                let path = entry(path, &key);
                if seen.insert(key) {
                    walk(value, &path)
                } else {
                    Err(Loss {
                        path,
                        message: "this key stands here for the second time".to_owned(),
                    })
                }
            })
        }
        Some(b'-' | b'0'..=b'9') if is_too_large(text) => Err(Loss {
            path: path.to_owned(),
            message: format!(
                "the integer {text} needs more than 64 bits and would lose digits: write it as a \
                 string"
            ),
        }),
        _ => Ok(()),
    }
}

fn is_too_large(number: &str) -> bool {
    let integer = !number.contains(['.', 'e', 'E']);
    integer && number.parse::<u64>().is_err() && number.parse::<i64>().is_err()
}

/// All entries of an object, those of the same key too.
#[derive(Default)]
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect).map(Self)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            entries.push((key, value));
        }
        Ok(entries)
    }
}
