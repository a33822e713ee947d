/// Who registers, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registrant {
    pub(crate) organisation: String,
    pub(crate) email: String,
    pub(crate) cluster_id: String,
    pub(crate) product: String,
}
