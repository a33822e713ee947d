use std::time::Duration;

use super::token_hash::TokenHash;

/// A token as it is stored: everything but the token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredToken {
    /// What it is called among all tokens; never given twice.
    pub id: i64,
    /// Whose reports come with it.
    pub organisation: String,
    /// When it was made: RFC 3339 in UTC with milliseconds.
    pub created_at: String,
    /// From when on it is refused, if that is known; it may be in the future.
    pub ends_at: Option<String>,
    /// Whether it is refused by now.
    pub has_ended: bool,
    /// The address that was given at the registration page; `None` if the operator made it.
    pub email: Option<String>,
}

/// Which tokens are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenChoice {
    /// The one with this [id](StoredToken::id).
    Id(i64),
    /// All of an organisation.
    Organisation(String),
}

/// What becomes of tokens that are there.
#[derive(Debug, Clone)]
pub(super) enum TokenChange {
    /// They are refused from now on.
    End(TokenChoice),
    /// Another one takes its place, and it is refused after a while.
    Replace { id: i64, by: TokenHash, overlap: Duration },
    /// Nothing is left of the organisation but its reports, which belong to nobody then.
    Remove { organisation: String },
}
