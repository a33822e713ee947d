//! JSON as it stands: the order of keys and repeated keys are kept, and numbers compare by value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A JSON value that forgets nothing of its text but white space, escapes, and how a number was
/// written.
#[derive(Debug, Clone)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent that 64 bits hold.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// What a short float may be written as: any decimal that is nearest to it. Two of them can be
    /// equally short, and libraries choose differently.
    Float32(f32),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object: its keys in the order in which they stand, repeated ones too.
    Map(Vec<(String, Self)>),
}

impl Json {
    /// Reads a whole text.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, if it is no JSON or nested too deeply for `serde_json`.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The same value with its keys sorted, for where their order says nothing.
    #[must_use]
    pub fn sorted(self) -> Self {
        match self {
            Self::List(list) => Self::List(list.into_iter().map(Self::sorted).collect()),
            Self::Map(entries) => {
                let mut entries: Vec<_> =
                    entries.into_iter().map(|(key, value)| (key, value.sorted())).collect();
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                Self::Map(entries)
            }
            other => other,
        }
    }
}

/// `1`, `1.0` and `1e0` are the same number, and order matters.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            // The same bits but for the sign of zero, which `==` takes for the same number.
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Float32(short), Self::Float(float))
            | (Self::Float(float), Self::Float32(short)) => rounded(*float) == *short,
            (Self::Integer(whole), Self::Float(float))
            | (Self::Float(float), Self::Integer(whole)) => is_exactly(*float, *whole),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
fn rounded(float: f64) -> f32 {
    float as f32
}

#[expect(clippy::cast_possible_truncation, reason = "only whole floats within the type are cast")]
fn is_exactly(float: f64, whole: i128) -> bool {
    float.fract() == 0.0 && float.abs() < 1e30 && float as i128 == whole
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i128(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Float32(value) => serializer.serialize_f32(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => list.serialize(serializer),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Integer(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Integer(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Json::Float(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = seq.next_element()? {
                    list.push(value);
                }
                Ok(Json::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Json::Map(entries))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    fn parsed(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn numbers_compare_by_value() {
        assert_eq!(parsed("1"), parsed("1.0"));
        assert_eq!(parsed("100000000000000000000"), parsed("1e20"));
        assert_eq!(parsed("-0"), parsed("0"));
        assert_ne!(parsed("18446744073709551615"), parsed("18446744073709551616"));
        assert_ne!(parsed("9007199254740993"), parsed("9007199254740992.0"));
        assert_ne!(parsed("1"), parsed("1.5"));
        for text in ["205089.12", "205089.13"] {
            assert_eq!(parsed(text), Json::Float32(205_089.13));
        }
        assert_ne!(parsed("205089.11"), Json::Float32(205_089.13));
    }

    #[test]
    fn order_and_repetition_are_kept() {
        assert_ne!(parsed(r#"{"a":1,"b":2}"#), parsed(r#"{"b":2,"a":1}"#));
        assert_ne!(parsed(r#"{"a":1,"a":1}"#), parsed(r#"{"a":1}"#));
        assert_eq!(parsed(r#"[{"b":2,"a":1}]"#).sorted(), parsed(r#"[{"a":1,"b":2}]"#));
    }
}
