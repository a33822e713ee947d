use super::kind::Kind;

/// Reports that are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// What is found by an id, in its [normal](super::instance::normal) form.
    Instance(String),
    /// What came with a token of an organisation.
    Organisation(String),
    /// Reports of a product that name a server, whatever their cluster is, and that came with a token,
    /// with any of an organisation, or without one.
    Server {
        id: String,
        product: String,
        token_id: Option<i64>,
        organisation: Option<String>,
        anonymous: bool,
    },
    /// What was stored before a time, by kind and product.
    Old { kind: Kind, product: String, before: String },
}
