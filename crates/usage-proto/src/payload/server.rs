use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};

use super::object::FromObject;
use super::{object, path};
use crate::saveable::Saveable;

/// A server that has started, registered with `POST /api/v1/servers` at every start.
///
/// ```
/// use usage_proto::Server;
///
/// let server = Server::new()
///     .cluster_id("clus1")
///     .server_id("serv1")
///     .host("example.com")
///     .product("influxdb")
///     .version("1.0");
/// # assert_eq!(
/// #     serde_json::to_string(&server)?,
/// #     r#"{"cluster_id":"clus1","server_id":"serv1","host":"example.com","product":"influxdb","version":"1.0"}"#,
/// # );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Server {
    /// Identifies the cluster that the server belongs to. Ids are strings on the wire.
    pub cluster_id: String,
    /// Identifies the server within its cluster; the same after a restart.
    pub server_id: String,
    /// The name of the machine.
    pub host: String,
    /// The product that the server runs, such as `influxdb`.
    pub product: String,
    /// The product's version.
    pub version: String,
}

impl Server {
    /// A server whose fields are all empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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

    /// Sets [`host`](Self::host).
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Sets [`product`](Self::product).
    #[must_use]
    pub fn product(mut self, product: impl Into<String>) -> Self {
        self.product = product.into();
        self
    }

    /// Sets [`version`](Self::version).
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }
}

impl Saveable for Server {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        [path::SERVERS]
    }
}

impl<'de> Deserialize<'de> for Server {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::deserialize(deserializer)
    }
}

impl FromObject for Server {
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "cluster_id" => object::read(&mut self.cluster_id, map),
            "server_id" => object::read(&mut self.server_id, map),
            "host" => object::read(&mut self.host, map),
            "product" => object::read(&mut self.product, map),
            "version" => object::read(&mut self.version, map),
            _ => Ok(false),
        }
    }
}
