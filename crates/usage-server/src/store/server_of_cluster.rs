//! Whether a stored report names a server of a cluster. Of what is stored the ids alone are read: a
//! report may be large, and who asks may have sent it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use usage_proto::Value;

use super::instance::{normal, text};
use super::row::Body;

/// Under this key a number comes where some crate turns on `serde_json`'s `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// A server and its cluster, by their ids as they are compared. An id of a server is its own within a
/// cluster alone: "1" is the server of many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerOfCluster {
    pub(crate) cluster: String,
    pub(crate) server: String,
}

impl ServerOfCluster {
    /// `None` if one of them is blank.
    pub(crate) fn new(cluster_id: &str, server_id: &str) -> Option<Self> {
        Some(Self { cluster: normal(cluster_id)?, server: normal(server_id)? })
    }

    /// Whether a report, or an item of it, names this server, and no cluster but this one.
    pub(super) fn is_named_by(&self, report: &Body) -> serde_json::Result<bool> {
        Ok(match report {
            Body::Server { cluster_id, server_id, .. } => {
                self.is(normal(server_id).as_deref(), normal(cluster_id).as_deref())
            }
            Body::Stats { cluster_id, server_id, data } => {
                let cluster = normal(cluster_id);
                let is_item = |item: Item| {
                    let own = item.cluster();
                    self.is(item.server().as_deref(), own.as_deref().or(cluster.as_deref()))
                };
                self.is(normal(server_id).as_deref(), cluster.as_deref())
                    || items(data)?.into_iter().any(is_item)
            }
            Body::Usage { data } => items(data)?
                .into_iter()
                .any(|item| self.is(item.server().as_deref(), item.cluster().as_deref())),
        })
    }

    fn is(&self, server: Option<&str>, cluster: Option<&str>) -> bool {
        server == Some(&*self.server) && cluster.is_none_or(|it| it == self.cluster)
    }
}

fn items(data: &str) -> serde_json::Result<Vec<Item>> {
    serde_json::from_str(data)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    tags: Named,
    values: Named,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    server_id: Id,
    cluster_id: Id,
}

impl Item {
    fn server(&self) -> Option<String> {
        self.tags.server_id.normal().or_else(|| self.values.server_id.normal())
    }

    fn cluster(&self) -> Option<String> {
        self.tags.cluster_id.normal().or_else(|| self.values.cluster_id.normal())
    }
}

/// A text or a number; nothing else is an id.
#[derive(Default)]
struct Id(Option<String>);

impl Id {
    fn normal(&self) -> Option<String> {
        self.0.as_deref().and_then(normal)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl<'de> Visitor<'de> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, id: &str) -> Result<Id, E> {
        Ok(Id(Some(id.to_owned())))
    }

    fn visit_u64<E>(self, id: u64) -> Result<Id, E> {
        Ok(Id(text(&Value::from(id))))
    }

    fn visit_i64<E>(self, id: i64) -> Result<Id, E> {
        Ok(Id(text(&Value::from(id))))
    }

    fn visit_f64<E>(self, id: f64) -> Result<Id, E> {
        Ok(Id(text(&Value::from(id))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Id, E> {
        Ok(Id(None))
    }

    fn visit_unit<E>(self) -> Result<Id, E> {
        Ok(Id(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Id, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Id(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Id, A::Error> {
        let mut id = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == NUMBER {
                id = map.next_value::<Self::Value>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Id(id))
    }
}

#[cfg(test)]
mod tests {
    use usage_proto::{Server, Stats, StatsData, Usage, UsageData, Value, Values};

    use super::ServerOfCluster;
    use crate::store::row::Row;

    fn whom() -> ServerOfCluster {
        ServerOfCluster::new(" c ", "1").unwrap()
    }

    fn named(row: Result<Row, crate::store::row::RowError>) -> bool {
        whom().is_named_by(&row.unwrap().body).unwrap()
    }

    #[test]
    fn a_server_is_known_within_its_cluster() {
        let item = UsageData::new;
        let map = || Value::from(Values::from([("server_id", "1")]));
        for (usage, is_named) in [
            (item().tag("server_id", "1").value("cluster_id", "c"), true),
            (item().tag("server_id", " 1 ").tag("cluster_id", " c"), true),
            (item().value("server_id", 1), true),
            (item().tag("server_id", "1").value("server_id", "2"), true),
            (item().tag("server_id", "2").value("server_id", "1"), false),
            (item().tag("server_id", " ").value("server_id", "1"), true),
            (item().value("server_id", 1).tag("cluster_id", "d"), false),
            (item().value("server_id", 1).value("cluster_id", Value::Null), true),
            (item().value("server_id", "10").tag("cluster_id", "c"), false),
            (item().value("server_id", 1.5), false),
            (item().value("server_id", true), false),
            (item().value("server_id", vec![Value::from(1), map()]), false),
            (item().value("server_id", map()), false),
            (item().value("cluster_id", "1"), false),
            (item().value("cluster_id", "c"), false),
            (item(), false),
        ] {
            let usage = Usage::new("p").data(item()).data(usage);
            assert_eq!(named(Row::usage(usage.clone(), usize::MAX)), is_named, "{usage:?}");
        }
    }

    #[test]
    fn columns_come_before_items() {
        let server = |cluster, server| {
            let server = Server::new().cluster_id(cluster).server_id(server);
            named(Row::server(server, usize::MAX))
        };
        assert!(server("c", "1") && server("", " 1"));
        assert!(!server("d", "1") && !server("c", "2") && !server("c", ""));
        let stats = |cluster, server, item| {
            let stats = Stats::new("p").cluster_id(cluster).server_id(server).data(item);
            named(Row::stats(stats, usize::MAX))
        };
        let item = || StatsData::new("n");
        assert!(stats("c", "1", item()) && !stats("d", "1", item()));
        assert!(stats("c", "2", item().tag("server_id", "1")));
        assert!(!stats("d", "2", item().tag("server_id", "1")));
        assert!(stats("d", "2", item().tag("server_id", "1").value("cluster_id", "c")));
    }

    #[test]
    fn nobody_is_named_by_a_blank_id() {
        assert_eq!(ServerOfCluster::new(" ", "1"), None);
        assert_eq!(ServerOfCluster::new("c", ""), None);
    }
}
