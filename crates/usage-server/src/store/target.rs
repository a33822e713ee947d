use super::kind::Kind;

/// Reports that are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// What is found by an id, in its [normal](super::instance::normal) form.
    Instance(String),
    /// What came with a token of an organisation.
    Organisation(String),
    /// What was stored before a time, by kind and product.
    Old { kind: Kind, product: String, before: String },
}
