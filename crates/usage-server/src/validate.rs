//! Which fields a report has to have, in the words that clients know.

use usage_proto::{Forget, Server, Stats, Usage, ValidationErrors};

use crate::store::name_length;

/// What a field is called in an answer and in its words, and what is in it.
type Field<'a> = (&'static str, &'static str, &'a String);

pub(crate) fn server(server: &Server) -> Result<(), ValidationErrors> {
    check(
        &server.product,
        &[
            ("cluster_id", "ClusterID", &server.cluster_id),
            ("server_id", "ServerID", &server.server_id),
            ("host", "Host", &server.host),
            ("version", "Version", &server.version),
        ],
    )
}

pub(crate) fn stats(stats: &Stats) -> Result<(), ValidationErrors> {
    // One blank name stands for all of them: the message names no item.
    let blank_name = stats.data.iter().map(|data| &data.name).find(|name| is_blank(name));
    let mut fields = vec![
        ("cluster_id", "ClusterID", &stats.cluster_id),
        ("server_id", "ServerID", &stats.server_id),
    ];
    fields.extend(blank_name.map(|name| ("name", "Name", name)));
    check(&stats.product, &fields)
}

/// Nothing is asked of the items: deployed senders leave their tags out.
pub(crate) fn usage(usage: &Usage) -> Result<(), ValidationErrors> {
    check(&usage.product, &[])
}

/// A server alone is the server of many a cluster. What was stored before names had an end can be
/// forgotten, too.
pub(crate) fn forget(forget: &Forget) -> Result<(), ValidationErrors> {
    filled(&[
        ("product", "Product", &forget.product),
        ("cluster_id", "ClusterID", &forget.cluster_id),
        ("server_id", "ServerID", &forget.server_id),
    ])
}

/// A product stands in an index, and the other fields do not, as they came.
fn check(product: &String, others: &[Field<'_>]) -> Result<(), ValidationErrors> {
    let mut fields = others.to_vec();
    fields.push(("product", "Product", product));
    let checked = filled(&fields);
    if !name_length::is_too_long(product, name_length::PRODUCT) {
        return checked;
    }
    let mut errors = checked.err().unwrap_or_default();
    let most = name_length::PRODUCT;
    errors.push("product", format!("Product can not be longer than {most} characters."));
    Err(errors)
}

fn filled(fields: &[Field<'_>]) -> Result<(), ValidationErrors> {
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
