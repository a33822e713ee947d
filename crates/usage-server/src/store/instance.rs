//! Whose report it is, among all installations of a product: one rule for each product, here alone.
//!
//! Usage has no columns for ids, and deployed senders put them among the tags or the values, as a
//! text or as a number. So an id is looked for in the columns of a report, then in the tags and the
//! values of each of its items. The instance is the server if there is a server's id, and else the
//! cluster.
//!
//! A report is found by its instance, and by what else stands for one: the instances of its other
//! items, and the cluster of a server that registers or sends statistics. Where usage names both a
//! server and a cluster, the server is whose usage it is.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use usage_proto::{Server, Stats, Tags, Usage, Value, Values};

/// The names of ids, the one that counts first in front.
const NAMES: [&str; 2] = ["server_id", "cluster_id"];

/// An id that is longer is kept as its hash: it is a key of an index.
const LONGEST: usize = 200;

/// How many ids besides its instance's a report is found by. Each is a row, and a report may name as
/// many as it has items.
const MOST: usize = 256;

/// What is known of the ids of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Whether an id is the same after a restart. Where it is not, to count ids is to count starts.
    pub(crate) is_stable: bool,
}

impl Rule {
    pub(crate) fn of(product: &str) -> Self {
        match product {
            // Its cluster_id is drawn anew at each start.
            "chronograf-ng" => Self { is_stable: false },
            _ => Self { is_stable: true },
        }
    }
}

/// The ids that a report names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    /// Whose report it is.
    pub(crate) instance: Option<String>,
    /// By what else it is found.
    pub(crate) others: BTreeSet<String>,
}

impl Ids {
    pub(crate) fn of_server(server: &Server) -> Self {
        let mut ids = Self::default();
        ids.columns(&server.server_id, &server.cluster_id);
        ids.finish()
    }

    pub(crate) fn of_stats(stats: &Stats) -> Self {
        let mut ids = Self::default();
        ids.columns(&stats.server_id, &stats.cluster_id);
        stats.data.iter().for_each(|item| ids.item(&item.tags, &item.values));
        ids.finish()
    }

    pub(crate) fn of_usage(usage: &Usage) -> Self {
        let mut ids = Self::default();
        usage.data.iter().for_each(|item| ids.item(&item.tags, &item.values));
        ids.finish()
    }

    fn columns(&mut self, server_id: &str, cluster_id: &str) {
        self.found(normal(server_id));
        self.found(normal(cluster_id));
    }

    fn item(&mut self, tags: &Tags, values: &Values) {
        self.found(NAMES.into_iter().find_map(|name| {
            let tag = tags.get(name).and_then(normal);
            tag.or_else(|| normal(&text(values.get(name)?)?))
        }));
    }

    /// The first that is found is the instance.
    fn found(&mut self, id: Option<String>) {
        let Some(id) = id else { return };
        match &self.instance {
            None => self.instance = Some(id),
            Some(_) if self.others.len() < MOST => drop(self.others.insert(id)),
            Some(_) => {}
        }
    }

    fn finish(mut self) -> Self {
        if let Some(instance) = &self.instance {
            self.others.remove(instance);
        }
        self
    }
}

/// Whether what stands under this key of an item is looked at for an id, whatever the product is.
pub(crate) fn is_named_by(key: &str) -> bool {
    NAMES.contains(&key)
}

/// An id as it is compared: without the space around it, and not too long. `None` if it is blank.
pub(crate) fn normal(id: &str) -> Option<String> {
    let id = id.trim();
    match id.len() {
        0 => None,
        1..=LONGEST => Some(id.to_owned()),
        _ => Some(format!("sha256:{}", hex(&Sha256::digest(id)))),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String can not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// An id may be a text or a number; nothing else is one.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // As it stands in JSON.
        Value::Number(number) => serde_json::to_string(number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use usage_proto::{Server, Stats, StatsData, Usage, UsageData};

    use super::{Ids, LONGEST, MOST, Rule, normal};

    fn ids(instance: Option<&str>, others: &[&str]) -> Ids {
        let others = others.iter().map(ToString::to_string).collect();
        Ids { instance: instance.map(str::to_owned), others }
    }

    #[test]
    fn an_instance_is_found_wherever_senders_put_it() {
        let item = UsageData::new;
        for (usage, expected) in [
            (item(), ids(None, &[])),
            (item().tag("server_id", "s").value("server_id", "v"), ids(Some("s"), &[])),
            (item().tag("cluster_id", "c").value("server_id", "s"), ids(Some("s"), &[])),
            (item().tag("cluster_id", "c").tag("server_id", " s "), ids(Some("s"), &[])),
            (item().value("cluster_id", 42), ids(Some("42"), &[])),
            (item().value("cluster_id", -7).value("server_id", ""), ids(Some("-7"), &[])),
            (
                item().value("server_id", 18_446_744_073_709_551_615_u64),
                ids(Some("18446744073709551615"), &[]),
            ),
            (item().value("server_id", true).tag("cluster_id", " "), ids(None, &[])),
        ] {
            let usage = Usage::new("influxdb").data(usage);
            assert_eq!(Ids::of_usage(&usage), expected, "{usage:?}");
        }
        let server = Server::new().cluster_id("c").server_id("s").host("h");
        assert_eq!(Ids::of_server(&server), ids(Some("s"), &["c"]));
        let stats = Stats::new("p").cluster_id("c").server_id("s");
        let stats = stats.data(StatsData::new("n").tag("server_id", "t"));
        assert_eq!(Ids::of_stats(&stats), ids(Some("s"), &["c", "t"]));
    }

    /// Somebody who reports for several instances at once is found by each of them.
    #[test]
    fn each_item_may_name_an_instance() {
        let item = |id| UsageData::new().value("server_id", id);
        let usage = Usage::new("p").data(item("a")).data(item("b")).data(item("a"));
        assert_eq!(Ids::of_usage(&usage), ids(Some("a"), &["b"]));
    }

    #[test]
    fn the_ids_of_a_report_have_an_end() {
        let items = (0..10_000).map(|id| UsageData::new().value("server_id", id));
        let usage = items.fold(Usage::new("p"), Usage::data);
        assert_eq!(Ids::of_usage(&usage).others.len(), MOST);
    }

    #[test]
    fn an_id_without_end_is_kept_as_its_hash() {
        let long = "x".repeat(LONGEST + 1);
        let kept = normal(&long).unwrap();
        assert!(kept.starts_with("sha256:") && kept.len() < LONGEST, "{kept}");
        assert_ne!(normal(&format!("{long}x")).unwrap(), kept);
        assert_eq!(normal(&long[1..]).unwrap(), &long[1..]);
    }

    #[test]
    fn some_ids_count_starts() {
        assert!(!Rule::of("chronograf-ng").is_stable);
        assert!(Rule::of("influxdb").is_stable);
    }
}
