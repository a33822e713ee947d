//! Which fields a report has to have, in the words that clients know.

use usage_proto::{Forget, Server, Stats, Usage, ValidationErrors};

pub(crate) fn server(server: &Server) -> Result<(), ValidationErrors> {
    check(&[
        ("cluster_id", "ClusterID", &server.cluster_id),
        ("server_id", "ServerID", &server.server_id),
        ("host", "Host", &server.host),
        ("product", "Product", &server.product),
        ("version", "Version", &server.version),
    ])
}

pub(crate) fn stats(stats: &Stats) -> Result<(), ValidationErrors> {
    // One blank name stands for all of them: the message names no item.
    let blank_name = stats.data.iter().map(|data| &data.name).find(|name| is_blank(name));
    let mut fields = vec![
        ("product", "Product", &stats.product),
        ("cluster_id", "ClusterID", &stats.cluster_id),
        ("server_id", "ServerID", &stats.server_id),
    ];
    fields.extend(blank_name.map(|name| ("name", "Name", name)));
    check(&fields)
}

/// Nothing is asked of the items: deployed senders leave their tags out.
pub(crate) fn usage(usage: &Usage) -> Result<(), ValidationErrors> {
    check(&[("product", "Product", &usage.product)])
}

/// A server alone is the server of many a cluster.
pub(crate) fn forget(forget: &Forget) -> Result<(), ValidationErrors> {
    check(&[
        ("product", "Product", &forget.product),
        ("cluster_id", "ClusterID", &forget.cluster_id),
        ("server_id", "ServerID", &forget.server_id),
    ])
}

fn check(fields: &[(&str, &str, &String)]) -> Result<(), ValidationErrors> {
    let mut errors = ValidationErrors::new();
    for (field, name, value) in fields {
        if is_blank(value) {
            errors.push(*field, format!("{name} can not be blank."));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
