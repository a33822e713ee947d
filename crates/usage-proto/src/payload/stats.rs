use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};

use super::object::FromObject;
use super::{Tags, Value, Values, object, path};
use crate::saveable::Saveable;

/// A product's statistics, posted to `POST /api/v1/stats/{product}`.
///
/// They belong to an organisation when the request carries a token, and to none without.
///
/// ```
/// use usage_proto::{Stats, StatsData};
///
/// let stats = Stats::new("influxdb").cluster_id("clus1").server_id("serv1").data(
///     StatsData::new("engine")
///         .tag("path", "/home/philip/.influxdb/data/_internal/monitor/1")
///         .tag("version", "bz1")
///         .value("blks_write", 39)
///         .value("blks_write_bytes", 2421)
///         .value("blks_write_bytes_c", 2202)
///         .value("points_write", 39)
///         .value("points_write_dedupe", 39),
/// );
/// # assert_eq!(stats.data[0].values.len(), 5);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// The product, a segment of the path and no part of the body.
    #[serde(skip)]
    pub product: String,
    /// Identifies the cluster.
    pub cluster_id: String,
    /// Identifies the server within the cluster.
    pub server_id: String,
    /// The statistics, `stats` on the wire.
    #[serde(rename = "stats")]
    pub data: Vec<StatsData>,
}

impl Stats {
    /// Statistics of `product`, with nothing in them yet.
    #[must_use]
    pub fn new(product: impl Into<String>) -> Self {
        Self { product: product.into(), ..Self::default() }
    }

    /// Sets [`cluster_id`](Self::cluster_id).
    #[must_use]
    pub fn cluster_id(mut self, cluster_id: impl Into<String>) -> Self {
        self.cluster_id = cluster_id.into();
        self
    }

    /// Sets [`server_id`](Self::server_id).
    #[must_use]
    pub fn server_id(mut self, server_id: impl Into<String>) -> Self {
        self.server_id = server_id.into();
        self
    }

    /// Adds one group of values to [`data`](Self::data).
    #[must_use]
    pub fn data(mut self, data: StatsData) -> Self {
        self.data.push(data);
        self
    }
}

impl Saveable for Stats {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        [path::STATS, &self.product]
    }
}

impl<'de> Deserialize<'de> for Stats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::deserialize(deserializer)
    }
}

impl FromObject for Stats {
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "cluster_id" => object::read(&mut self.cluster_id, map),
            "server_id" => object::read(&mut self.server_id, map),
            "stats" => object::read(&mut self.data, map),
            _ => Ok(false),
        }
    }
}

/// One named group of values, such as those of a storage engine.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StatsData {
    /// What the values describe.
    pub name: String,
    /// What sets this group apart from others of the same name.
    pub tags: Tags,
    /// The values themselves.
    pub values: Values,
}

impl StatsData {
    /// A group with a name and nothing in it.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
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

impl<'de> Deserialize<'de> for StatsData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::deserialize(deserializer)
    }
}

impl FromObject for StatsData {
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "name" => object::read(&mut self.name, map),
            "tags" => object::read(&mut self.tags, map),
            "values" => object::read(&mut self.values, map),
            _ => Ok(false),
        }
    }
}
