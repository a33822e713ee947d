//! A type of the application's own that walks through everything serde can say.

use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};
use usage_proto::Saveable;

use super::model::{NotFinite, below, float, float32, list_json};
use crate::json::Json;

/// A body with a path, as an application defines it.
#[derive(Debug, Clone)]
pub(super) struct OwnPayload<'a> {
    pub(super) segments: &'a [String],
    pub(super) body: &'a Own,
}

impl Serialize for OwnPayload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body.serialize(serializer)
    }
}

impl Saveable for OwnPayload<'_> {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        self.segments
    }
}

/// A value that uses one method of `Serializer` after the other.
#[derive(Debug, Clone)]
pub enum Own {
    /// `()`.
    Unit,
    /// `None`.
    None,
    /// `Some(…)`.
    Some(Box<Self>),
    /// A boolean.
    Bool(bool),
    /// An integer that is not negative.
    Unsigned(u64),
    /// An integer.
    Signed(i64),
    /// A short float.
    Float32(f32),
    /// A float.
    Float(f64),
    /// A character.
    Char(char),
    /// A text.
    Text(String),
    /// A text that exists only while it is displayed.
    Displayed(String),
    /// Bytes, a list of numbers in JSON.
    Bytes(Vec<u8>),
    /// A variant without anything.
    UnitVariant,
    /// A struct around a value.
    Newtype(Box<Self>),
    /// A variant around a value.
    NewtypeVariant(Box<Self>),
    /// A sequence.
    Seq(Vec<Self>),
    /// A tuple.
    Tuple(Vec<Self>),
    /// A struct with fields without names.
    TupleStruct(Vec<Self>),
    /// A variant with fields without names.
    TupleVariant(Vec<Self>),
    /// A struct; the names of its fields come from a list.
    Struct(Vec<Self>),
    /// A variant with named fields.
    StructVariant(Vec<Self>),
    /// A map, its keys written apart from the values or together.
    Map {
        /// Whether key and value are written in one call.
        together: bool,
        /// The entries in the order in which they are written.
        entries: Vec<(Key, Self)>,
    },
}

/// The key of a map of the application's own.
#[derive(Debug, Clone)]
pub enum Key {
    /// A text.
    Text(String),
    /// An integer, written as a text.
    Integer(i64),
    /// A boolean, written as a text.
    Bool(bool),
    /// A character.
    Char(char),
}

/// The names of fields.
pub(super) const FIELDS: [&str; 4] = ["first", "second", "", "a.b"];

const NEWTYPE: &str = "Newtype";
const TUPLE: &str = "Tuple";
const STRUCT: &str = "Struct";
const UNIT: &str = "Unit";

impl Own {
    pub(super) fn json(&self, path: &str) -> Result<Json, NotFinite> {
        let variant = |name: &str, json| Json::Map(vec![(name.to_owned(), json)]);
        Ok(match self {
            Self::Unit | Self::None => Json::Null,
            Self::Some(inner) | Self::Newtype(inner) => inner.json(path)?,
            Self::Bool(value) => Json::Bool(*value),
            Self::Unsigned(value) => Json::Integer((*value).into()),
            Self::Signed(value) => Json::Integer((*value).into()),
            Self::Float32(value) => float32(*value, path)?,
            Self::Float(value) => float(*value, path)?,
            Self::Char(value) => Json::Text(value.to_string()),
            Self::Text(text) | Self::Displayed(text) => Json::Text(text.clone()),
            Self::Bytes(bytes) => {
                Json::List(bytes.iter().map(|byte| Json::Integer((*byte).into())).collect())
            }
            Self::UnitVariant => Json::Text(UNIT.to_owned()),
            Self::NewtypeVariant(inner) => variant(NEWTYPE, inner.json(&below(path, NEWTYPE))?),
            Self::Seq(list) | Self::Tuple(list) | Self::TupleStruct(list) => {
                list_json(list, path, Self::json)?
            }
            Self::TupleVariant(list) => {
                variant(TUPLE, list_json(list, &below(path, TUPLE), Self::json)?)
            }
            Self::Struct(fields) => fields_json(fields, path)?,
            Self::StructVariant(fields) => {
                variant(STRUCT, fields_json(fields, &below(path, STRUCT))?)
            }
            Self::Map { entries, .. } => {
                let mut map = Vec::new();
                for (key, value) in entries {
                    let key = key.text();
                    let value = value.json(&below(path, &key))?;
                    map.push((key, value));
                }
                Json::Map(map)
            }
        })
    }
}

impl Key {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Char(value) => value.to_string(),
        }
    }
}

fn named(fields: &[Own]) -> impl Iterator<Item = (&'static str, &Own)> {
    FIELDS.into_iter().zip(fields)
}

fn fields_json(fields: &[Own], path: &str) -> Result<Json, NotFinite> {
    let mut map = Vec::new();
    for (name, value) in named(fields) {
        map.push((name.to_owned(), value.json(&below(path, name))?));
    }
    Ok(Json::Map(map))
}

impl Serialize for Own {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => serializer.serialize_unit(),
            Self::None => serializer.serialize_none(),
            Self::Some(inner) => serializer.serialize_some(inner),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Float32(value) => serializer.serialize_f32(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Char(value) => serializer.serialize_char(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Displayed(text) => serializer.collect_str(text),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::UnitVariant => serializer.serialize_unit_variant("Own", 0, UNIT),
            Self::Newtype(inner) => serializer.serialize_newtype_struct("Own", inner),
            Self::NewtypeVariant(inner) => {
                serializer.serialize_newtype_variant("Own", 1, NEWTYPE, inner)
            }
            Self::Seq(list) => {
                let mut seq = serializer.serialize_seq(None)?;
                list.iter().try_for_each(|value| seq.serialize_element(value))?;
                seq.end()
            }
            Self::Tuple(list) => {
                let mut tuple = serializer.serialize_tuple(list.len())?;
                list.iter().try_for_each(|value| tuple.serialize_element(value))?;
                tuple.end()
            }
            Self::TupleStruct(list) => {
                let mut tuple = serializer.serialize_tuple_struct("Own", list.len())?;
                list.iter().try_for_each(|value| tuple.serialize_field(value))?;
                tuple.end()
            }
            Self::TupleVariant(list) => {
                let mut tuple = serializer.serialize_tuple_variant("Own", 2, TUPLE, list.len())?;
                list.iter().try_for_each(|value| tuple.serialize_field(value))?;
                tuple.end()
            }
            Self::Struct(fields) => {
                let mut whole = serializer.serialize_struct("Own", named(fields).count())?;
                named(fields).try_for_each(|(name, value)| whole.serialize_field(name, value))?;
                whole.end()
            }
            Self::StructVariant(fields) => {
                let count = named(fields).count();
                let mut whole = serializer.serialize_struct_variant("Own", 3, STRUCT, count)?;
                named(fields).try_for_each(|(name, value)| whole.serialize_field(name, value))?;
                whole.end()
            }
            Self::Map { together, entries } => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    if *together {
                        map.serialize_entry(key, value)?;
                    } else {
                        map.serialize_key(key)?;
                        map.serialize_value(value)?;
                    }
                }
                map.end()
            }
        }
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Char(value) => serializer.serialize_char(*value),
        }
    }
}
