//! What a database has to do for a Usage API. There are no statements here: how it is done is each
//! backend's own.

use std::fmt;
use std::path::Path;

use super::batch::{Batch, Written};
use super::error::StoreError;
use super::row::Purpose;
use super::selection::Selection;
use super::sender::Sender;
use super::stored::StoredRow;
use super::token::{StoredToken, TokenChange};
use super::token_hash::TokenHash;

/// How many rows a page has at most.
pub(super) const PAGE_ROWS: usize = 1000;

/// How many bytes the reports of a page take together; the last one may be above it.
pub(super) const PAGE_BYTES: usize = 1024 * 1024;

/// The tables behind a [`Store`](super::Store), reached by many threads at once. All of it blocks.
pub(super) trait Backend: fmt::Debug + Send + Sync {
    /// Makes a batch durable, in one transaction as a rule, with a position for each report that
    /// grows in the order of commits, whoever else writes. What cannot be stored fails alone; an
    /// error is for all of the batch, and nothing of it is stored then.
    fn append(&self, batch: &mut Batch<'_>) -> Result<Written, StoreError>;

    /// Whether the database is where it was when it was opened.
    fn is_there(&self) -> Result<(), StoreError>;

    /// Whose token it is.
    fn sender(&self, token: TokenHash) -> Result<Sender, StoreError>;

    /// What the first report with a key was for.
    fn first_with_key(
        &self,
        token_id: Option<i64>,
        key: &str,
    ) -> Result<Option<Purpose>, StoreError>;

    /// All tokens of organisations, by id.
    fn tokens(&self) -> Result<Vec<StoredToken>, StoreError>;

    /// Which token it is, whether it has ended or not.
    fn token_id(&self, token: TokenHash) -> Result<Option<i64>, StoreError>;

    /// Changes tokens, and returns how many it was about when that is durable.
    fn change_tokens(&self, change: &TokenChange) -> Result<usize, StoreError>;

    /// Whether there is a token that counts for an organisation.
    fn has_token(&self, organisation: &str) -> Result<bool, StoreError>;

    /// The first reports of a selection, in the order of their positions: none if there are none,
    /// and else at least one. A page is bounded in rows and in bytes.
    fn page(&self, selection: &Selection) -> Result<Vec<StoredRow>, StoreError>;

    /// What the database is called in messages: never with a password.
    fn path(&self) -> &Path;
}
