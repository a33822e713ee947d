//! Sorted maps: a payload gives the same bytes whatever order it was built in (rule W11).

use std::collections::{BTreeMap, btree_map};

use serde::{Deserialize, Serialize};

use super::Value;

/// The two maps differ in what they hold alone; a generic map would need an alias to keep the
/// names of the original package.
macro_rules! sorted_map {
    ($(#[$doc:meta])* $name:ident: $value:ty, shown as $shown:ty, read with $read:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(deserialize_with = $read)] BTreeMap<String, $value>);

        impl $name {
            /// An empty map.
            #[must_use]
            pub const fn new() -> Self {
                Self(BTreeMap::new())
            }

            /// Sets a key, and returns what it held before.
            pub fn insert(
                &mut self,
                key: impl Into<String>,
                value: impl Into<$value>,
            ) -> Option<$value> {
                self.0.insert(key.into(), value.into())
            }

            /// What a key holds.
            #[must_use]
            pub fn get(&self, key: &str) -> Option<&$shown> {
                self.0.get(key).map(|value| -> &$shown { value })
            }

            /// What a key holds, to change it.
            pub fn get_mut(&mut self, key: &str) -> Option<&mut $value> {
                self.0.get_mut(key)
            }

            /// Takes a key out, and returns what it held.
            pub fn remove(&mut self, key: &str) -> Option<$value> {
                self.0.remove(key)
            }

            /// The entries in the order of their keys' bytes.
            pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &$shown)> {
                self.0.iter().map(|(key, value)| -> (&str, &$shown) { (key, value) })
            }

            /// How many keys there are.
            #[must_use]
            pub fn len(&self) -> usize {
                self.0.len()
            }

            /// Whether there is no key.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl<K: Into<String>, V: Into<$value>> FromIterator<(K, V)> for $name {
            fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
                let mut map = Self::new();
                map.extend(entries);
                map
            }
        }

        impl<K: Into<String>, V: Into<$value>> Extend<(K, V)> for $name {
            fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
                self.0.extend(entries.into_iter().map(|(key, value)| (key.into(), value.into())));
            }
        }

        impl<K: Into<String>, V: Into<$value>, const N: usize> From<[(K, V); N]> for $name {
            fn from(entries: [(K, V); N]) -> Self {
                entries.into_iter().collect()
            }
        }

        impl<'a> IntoIterator for &'a $name {
            type Item = (&'a String, &'a $value);
            type IntoIter = btree_map::Iter<'a, String, $value>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.iter()
            }
        }

        impl IntoIterator for $name {
            type Item = (String, $value);
            type IntoIter = btree_map::IntoIter<String, $value>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.into_iter()
            }
        }
    };
}

sorted_map! {
    /// Tags of a group of values: strings by name.
    ///
    /// ```
    /// use usage_proto::Tags;
    ///
    /// let tags = Tags::from([("version", "0.9.5"), ("arch", "amd64")]);
    /// assert_eq!(tags.iter().next(), Some(("arch", "amd64")));
    /// ```
    #[derive(Eq)]
    Tags: String, shown as str, read with "read_tags"
}

sorted_map! {
    /// Values by name, each of any JSON type.
    ///
    /// ```
    /// use usage_proto::{Value, Values};
    ///
    /// let values = Values::from([("num_series", 87232), ("num_databases", 3)]);
    /// assert_eq!(values.get("num_databases"), Some(&Value::from(3)));
    /// ```
    Values: Value, shown as Value, read with "BTreeMap::deserialize"
}

/// A `null` tag is read as the empty text, as Go reads it.
fn read_tags<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let tags = BTreeMap::<String, Option<String>>::deserialize(deserializer)?;
    Ok(tags.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}
