use serde::{Deserialize, Serialize};

use super::{null_as_default, path};
use crate::Saveable;

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Server {
    /// Identifies the cluster that the server belongs to. Ids are strings on the wire.
    #[serde(deserialize_with = "null_as_default")]
    pub cluster_id: String,
    /// Identifies the server within its cluster; the same after a restart.
    #[serde(deserialize_with = "null_as_default")]
    pub server_id: String,
    /// The name of the machine.
    #[serde(deserialize_with = "null_as_default")]
    pub host: String,
    /// The product that the server runs, such as `influxdb`.
    #[serde(deserialize_with = "null_as_default")]
    pub product: String,
    /// The product's version.
    #[serde(deserialize_with = "null_as_default")]
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
