//! Who sends a request.

/// Whose token a request has.
#[derive(Debug, Clone)]
pub(crate) enum Sender {
    Unknown,
    Known { token_id: i64, organisation: String },
}
