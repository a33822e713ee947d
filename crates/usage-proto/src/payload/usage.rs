use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};

use super::object::FromObject;
use super::{Tags, Value, Values, object, path};
use crate::saveable::Saveable;

/// Anonymous usage, posted to `POST /api/v1/usage/{product}` every 12 hours.
///
/// ```
/// use usage_proto::{Usage, UsageData};
///
/// let usage = Usage::new("influxdb").data(
///     UsageData::new()
///         .tag("version", "0.9.5")
///         .tag("arch", "amd64")
///         .tag("os", "linux")
///         .value("cluster_id", "23423")
///         .value("server_id", "1")
///         .value("num_databases", 3)
///         .value("num_measurements", 2342)
///         .value("num_series", 87232),
/// );
/// # assert_eq!(usage.data[0].tags.get("os"), Some("linux"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// The product, a segment of the path and no part of the body.
    pub product: String,
    /// The groups of values; the body is this list alone.
    pub data: Vec<UsageData>,
}

impl Usage {
    /// Usage of `product`, with nothing in it yet.
    #[must_use]
    pub fn new(product: impl Into<String>) -> Self {
        Self { product: product.into(), data: Vec::new() }
    }

    /// Adds one group of values to [`data`](Self::data).
    #[must_use]
    pub fn data(mut self, data: UsageData) -> Self {
        self.data.push(data);
        self
    }
}

impl Saveable for Usage {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        [path::USAGE, &self.product]
    }
}

/// Writes the bare list.
impl Serialize for Usage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.data.serialize(serializer)
    }
}

/// Reads the bare list, or `null`; the product is left empty.
impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = Option::deserialize(deserializer)?.unwrap_or_default();
        Ok(Self { product: String::new(), data })
    }
}

/// One group of values.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UsageData {
    /// What the values belong to; deployed senders often leave it empty.
    pub tags: Tags,
    /// The values themselves.
    pub values: Values,
}

impl UsageData {
    /// A group with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one tag.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key, value);
        self
    }

    /// Sets one value.
    #[must_use]
    pub fn value(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.values.insert(key, value);
        self
    }
}

impl<'de> Deserialize<'de> for UsageData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::deserialize(deserializer)
    }
}

impl FromObject for UsageData {
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "tags" => object::read(&mut self.tags, map),
            "values" => object::read(&mut self.values, map),
            _ => Ok(false),
        }
    }
}
