use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};

use super::object::FromObject;
use super::{object, path};
use crate::saveable::Saveable;

/// A server whose customer has opted out and wants to be forgotten: what was reported under its ids is
/// to be erased. Sent once, with `POST /api/v1/forget/{product}`.
///
/// The original API has no such call; `usage-server` has it. An adapter's `save` sends it like any other
/// payload, and `execute` hands over the answer as it came.
/// [`Api::parse_forgotten`](crate::Api::parse_forgotten) reads the answer, and
/// [`ResponseError::is_unknown_call`](crate::ResponseError::is_unknown_call) tells an API that cannot
/// forget.
///
/// The ids stand in the body and not in the path, so that they come into no log of a proxy. What is
/// meant is what names this server, and no cluster but this one. Whose reports are erased is the
/// token's to say, as whose a report is: those of its organisation, and those that came without a
/// token. Sent twice it is the same as sent once.
///
/// ```
/// use usage_proto::{Api, BaseUrl, Forget};
///
/// let api = Api::new(BaseUrl::STAGING);
/// let forget = Forget::new("tinykv").cluster_id("clus1").server_id("serv1");
/// let request = api.build_request(&forget)?;
/// assert_eq!(request.uri().path(), "/api/v1/forget/tinykv");
/// assert_eq!(request.body(), r#"{"cluster_id":"clus1","server_id":"serv1"}"#);
///
/// let answer = http::Response::new(r#"{"reports":12}"#);
/// assert_eq!(api.parse_forgotten(answer)?.reports, Some(12));
/// # Ok::<(), usage_proto::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Forget {
    /// The product whose reports are meant; a part of the path and not of the body.
    #[serde(skip)]
    pub product: String,
    /// The cluster that the server belonged to.
    pub cluster_id: String,
    /// The server that is to be forgotten.
    pub server_id: String,
}

impl Forget {
    /// A server of a product, whose ids are empty.
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
}

impl Saveable for Forget {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        [path::FORGET, &self.product]
    }
}

/// Reads the body; the product is not in it.
impl<'de> Deserialize<'de> for Forget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::deserialize(deserializer)
    }
}

impl FromObject for Forget {
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "cluster_id" => object::read(&mut self.cluster_id, map),
            "server_id" => object::read(&mut self.server_id, map),
            _ => Ok(false),
        }
    }
}
