//! Payloads are read from objects alone.
//!
//! A derived `Deserialize` takes a list of the fields' values as well, refuses a repeated key, and
//! refuses `null`. Here a payload is an object, the last of a repeated key wins as it does in Go,
//! and `null` is the empty value, since deployed senders write it (rule W8).

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A payload that starts empty and is filled field by field.
pub(super) trait FromObject: Default {
    /// Reads the value that comes next if the key is one of the payload's, and says whether.
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error>;
}

/// Reads a payload from an object or from `null`; keys that it does not know are passed over.
pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromObject,
    D: Deserializer<'de>,
{
    deserializer.deserialize_option(ObjectVisitor(PhantomData))
}

/// Reads the value that comes next into `field`; `null` makes it empty.
pub(super) fn read<'de, T, A>(field: &mut T, map: &mut A) -> Result<bool, A::Error>
where
    T: Default + Deserialize<'de>,
    A: MapAccess<'de>,
{
    *field = map.next_value::<Option<T>>()?.unwrap_or_default();
    Ok(true)
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: FromObject> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut payload = T::default();
        while let Some(key) = map.next_key::<String>()? {
            if !payload.read_field(&key, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(payload)
    }
}
