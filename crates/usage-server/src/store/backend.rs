//! What a database has to do for a Usage API. There are no statements here: how it is done is each
//! backend's own.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::batch::{Batch, Written};
use super::erasure::Audit;
use super::error::StoreError;
use super::figures::Figures;
use super::moving::{LeftKey, MovedErasure, MovedReport, MovedToken, Portion};
use super::refusals::DayRefusals;
use super::row::Purpose;
use super::selection::Selection;
use super::sender::Sender;
use super::stored::StoredRow;
use super::target::Target;
use super::token::{StoredToken, TokenChange};
use super::token_hash::TokenHash;

/// How many rows a page has at most.
pub(super) const PAGE_ROWS: usize = 1000;

/// How many bytes the reports of a page take together; the last one may be above it.
pub(super) const PAGE_BYTES: usize = 1024 * 1024;

/// How many reports are looked at in the order of their positions, before those of a time are looked for
/// by their index.
pub(super) const NEAR: usize = 50_000;

/// How far keys were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// The position of the last report that is old.
    pub(super) to: i64,
    /// Whether there may be more behind it.
    pub(super) more: bool,
}

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

    /// The first position of a selection that has a time, whatever the order of times: what was stored
    /// before need not be looked at. `None` if there is no report of it.
    fn first_since(&self, selection: &Selection) -> Result<Option<i64>, StoreError>;

    /// The report at a position.
    fn row(&self, position: i64) -> Result<Option<StoredRow>, StoreError>;

    /// The products that there are reports of.
    fn products(&self) -> Result<Vec<String>, StoreError>;

    /// How many of these instances reported about a product before a time.
    fn known_before(
        &self,
        product: &str,
        instances: &[&str],
        before: &str,
    ) -> Result<u64, StoreError>;

    /// Copies what is stored by now into a new file, while others write; returns its size.
    fn backup(&self, to: &Path) -> Result<u64, StoreError>;

    /// The first reports of a target behind a position: none if none is left. What is old is found
    /// oldest first, and wherever it stands.
    fn find(&self, target: &Target, after: i64, most: usize) -> Result<Vec<i64>, StoreError>;

    /// How many reports a target has.
    fn count(&self, target: &Target) -> Result<u64, StoreError>;

    /// Deletes reports, with all that is kept of them, in one transaction; returns how many were
    /// there. Keys stay known of those that were stored since a time, and of none without one.
    fn delete(&self, positions: &[i64], keep_keys_since: Option<&str>) -> Result<u64, StoreError>;

    /// Forgets some keys that have outlived their reports and were seen before a time; returns how
    /// many.
    fn forget_left_keys(&self, before: &str, most: usize) -> Result<u64, StoreError>;

    /// Forgets the keys of the first reports behind a position, up to one that is not stored before a
    /// time.
    fn forget_keys(&self, before: &str, after: i64, most: usize) -> Result<Looked, StoreError>;

    /// Notes an erasure. With an organisation its tokens go, and what came with them in the last
    /// moment; returns how many reports that were.
    fn close_erasure(&self, audit: &Audit) -> Result<u64, StoreError>;

    /// Gives some room back to the disk, in a moment; says whether there is more to give back.
    fn give_back(&self) -> Result<bool, StoreError>;

    /// Takes the upkeep of the database for a while, or keeps it; `false` if another one has it.
    fn hold_upkeep(&self, holder: &str, time: Duration) -> Result<bool, StoreError>;

    /// Notes that who has the upkeep has pruned all that was too old.
    fn note_pruned(&self, holder: &str) -> Result<(), StoreError>;

    /// Counts the next reports that were not counted yet, which are so many at most, in one
    /// transaction; says whether there may be more. What is counted and then deleted is counted no
    /// more.
    fn count_on(&self, most: usize) -> Result<bool, StoreError>;

    /// What can be said without reading all of it.
    fn figures(&self) -> Result<Figures, StoreError>;

    /// Adds to what was refused, in one transaction.
    fn add_refusals(&self, refusals: &[DayRefusals]) -> Result<(), StoreError>;

    /// What was refused since a day.
    fn refusals(&self, since: &str) -> Result<Vec<DayRefusals>, StoreError>;

    /// All tokens with what belongs to them, those of nobody too.
    fn tokens_to_move(&self) -> Result<Vec<MovedToken>, StoreError>;

    /// A page of reports behind a position, as they stand.
    fn reports_to_move(&self, after: i64) -> Result<Vec<MovedReport>, StoreError>;

    /// A page of keys that have outlived their reports, behind one of them.
    fn keys_to_move(&self, after: Option<&(i64, String)>) -> Result<Vec<LeftKey>, StoreError>;

    /// All that was noted of erasures.
    fn erasures_to_move(&self) -> Result<Vec<MovedErasure>, StoreError>;

    /// How many reports there are, and the last position of them; 0 without any.
    fn extent(&self) -> Result<(u64, i64), StoreError>;

    /// The last position that was given, to whatever became of its report.
    fn last_position(&self) -> Result<i64, StoreError>;

    /// Takes over what is not there yet, in one transaction.
    fn take(&self, portion: &Portion) -> Result<(), StoreError>;

    /// Gives no position again up to this one.
    fn go_on_after(&self, position: i64) -> Result<(), StoreError>;

    /// What the database is called in messages: never with a password.
    fn path(&self) -> &Path;
}
