//! Which fields a body may have: a field that the payload does not know would not be sent.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::Value;
use usage_proto::{Server, Stats, StatsData, Usage, UsageData};

use super::{Mistake, place};

/// A payload with one of everything in it, which shows the fields that it has.
pub(crate) trait Sample: Serialize + DeserializeOwned {
    fn sample() -> Self;
}

impl Sample for Server {
    fn sample() -> Self {
        Self::new()
    }
}

impl Sample for Stats {
    fn sample() -> Self {
        Self::new("").data(StatsData::new(""))
    }
}

impl Sample for Usage {
    fn sample() -> Self {
        Self::new("").data(UsageData::new())
    }
}

/// Refuses fields that `P` does not have, and keys that stand twice in one object.
pub(super) fn check<P: Sample>(json: &str) -> Result<(), Mistake> {
    // A payload that serializes is all that there is: this cannot fail.
    let sample = serde_json::to_value(P::sample()).unwrap_or_default();
    let at_key = Cell::new(false);
    let mut track = serde_path_to_error::Track::new();
    let mut reader = serde_json::Deserializer::from_str(json);
    let shape = Shape { sample: Some(&sample), at_key: &at_key };
    let outcome = shape
        .deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track))
        .map_err(|error| (error, place::path(&track.path())))
        .and_then(|()| reader.end().map_err(|error| (error, String::new())));
    outcome.map_err(|(error, path)| {
        let mistake = Mistake::of_value(json, &error, path);
        if at_key.get() {
            Mistake { offset: place::key(json, &error), named: true, ..mistake }
        } else {
            mistake
        }
    })
}

/// The path of the value that starts at `offset`: where a reader is if the text ends there.
pub(super) fn path_at(json: &str, offset: usize) -> String {
    let at_key = Cell::new(false);
    let mut track = serde_path_to_error::Track::new();
    let mut reader = serde_json::Deserializer::from_str(&json[..offset]);
    // The end is the error that is wanted.
    let _ = Shape { sample: None, at_key: &at_key }
        .deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track));
    place::path(&track.path())
}

/// Walks over a value beside a sample of it. An object that has fields in the sample may have
/// those alone; one that is empty there may have any.
#[derive(Clone, Copy)]
struct Shape<'a> {
    sample: Option<&'a Value>,
    /// Raised if the mistake is a key.
    at_key: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Shape<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let sample = self.sample.and_then(|sample| sample.get(0));
        while seq.next_element_seed(Self { sample, ..self })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let fields = self.sample.and_then(Value::as_object).filter(|fields| !fields.is_empty());
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let known = fields.map(|fields| (fields.get(&key), fields));
            let reason = match known {
                Some((None, fields)) => Some(unknown(&key, fields)),
                _ if seen.contains(&key) => {
                    Some(format!("`{key}` stands here for the second time"))
                }
                _ => None,
            };
            if let Some(reason) = reason {
                map.next_value_seed(Refusal { reason, at_key: self.at_key })?;
            } else {
                let sample = known.and_then(|(sample, _)| sample);
                map.next_value_seed(Self { sample, ..self })?;
            }
            seen.insert(key);
        }
        Ok(())
    }
}

/// Fails in the place of a value, so that the path to it has the key.
struct Refusal<'a> {
    reason: String,
    at_key: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Refusal<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        self.at_key.set(true);
        Err(D::Error::custom(self.reason))
    }
}

fn unknown(key: &str, fields: &serde_json::Map<String, Value>) -> String {
    let fields = fields.keys().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
    let product = match key {
        "product" => " (the product comes from --product)",
        _ => "",
    };
    format!("there is no field `{key}`, and it would not be sent{product}: expected {fields}")
}
