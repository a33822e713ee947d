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

            /// Whether there is such a key.
            #[must_use]
            pub fn contains_key(&self, key: &str) -> bool {
                self.0.contains_key(key)
            }

            /// The place of a key, to look at it and to fill it in one go.
            pub fn entry(&mut self, key: impl Into<String>) -> btree_map::Entry<'_, String, $value> {
                self.0.entry(key.into())
            }

            /// Takes a key out, and returns what it held.
            pub fn remove(&mut self, key: &str) -> Option<$value> {
                self.0.remove(key)
            }

            /// Keeps the entries for which the closure says so.
            pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut $value) -> bool) {
                self.0.retain(|key, value| keep(key, value));
            }

            /// Takes all entries out.
            pub fn clear(&mut self) {
                self.0.clear();
            }

            /// The entries in the order of their keys' bytes, the same as those of a loop over a
            /// reference.
            pub fn iter(&self) -> btree_map::Iter<'_, String, $value> {
                self.0.iter()
            }

            /// The entries, to change what the keys hold.
            pub fn iter_mut(&mut self) -> btree_map::IterMut<'_, String, $value> {
                self.0.iter_mut()
            }

            /// The keys in the order of their bytes.
            pub fn keys(&self) -> btree_map::Keys<'_, String, $value> {
                self.0.keys()
            }

            /// What the keys hold, in the order of the keys.
            pub fn values(&self) -> btree_map::Values<'_, String, $value> {
                self.0.values()
            }

            /// What the keys hold, to change it.
            pub fn values_mut(&mut self) -> btree_map::ValuesMut<'_, String, $value> {
                self.0.values_mut()
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
                self.iter()
            }
        }

        impl<'a> IntoIterator for &'a mut $name {
            type Item = (&'a String, &'a mut $value);
            type IntoIter = btree_map::IterMut<'a, String, $value>;

            fn into_iter(self) -> Self::IntoIter {
                self.iter_mut()
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
    /// let mut tags = Tags::from([("version", "0.9.5"), ("arch", "amd64")]);
    /// tags.entry("os").or_insert_with(|| "linux".into());
    /// assert_eq!(tags.get("os"), Some("linux"));
    /// assert!(tags.keys().eq(["arch", "os", "version"]));
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
    /// let mut values = Values::from([("num_series", 87232), ("num_databases", 3), ("uptime", 0)]);
    /// values.retain(|_, value| *value != Value::from(0));
    /// assert_eq!(values.get("num_databases"), Some(&Value::from(3)));
    /// assert!(!values.contains_key("uptime"));
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
