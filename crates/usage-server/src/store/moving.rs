//! All that is in one database, taken over into another.

use super::Store;
use super::backend::Backend;
use super::error::StoreError;
use super::kind::Kind;
use super::name_length::{ORGANISATION, PRODUCT, shortened};
use super::refusals::DayRefusals;
use super::row::Row;

/// What is moved at once. A database that has some of it already takes the rest.
#[derive(Debug, Default)]
pub(super) struct Portion {
    pub(super) tokens: Vec<MovedToken>,
    pub(super) reports: Vec<MovedReport>,
    pub(super) keys: Vec<LeftKey>,
    pub(super) erasures: Vec<MovedErasure>,
    pub(super) refusals: Vec<DayRefusals>,
}

/// A token with its id, which reports have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MovedToken {
    pub(super) id: i64,
    pub(super) hash: Vec<u8>,
    pub(super) organisation: String,
    pub(super) created_at: String,
    pub(super) ends_at: Option<String>,
    /// Address, cluster and product of who registered.
    pub(super) registration: Option<[String; 3]>,
}

/// A report at its position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MovedReport {
    pub(super) position: i64,
    pub(super) received_at: String,
    pub(super) token_id: Option<i64>,
    pub(super) key: Option<String>,
    pub(super) row: Row,
}

/// A key that has outlived its report; token 0 is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftKey {
    pub(super) token_id: i64,
    pub(super) key: String,
    pub(super) kind: Kind,
    pub(super) product: String,
    pub(super) seen_at: String,
}

/// What was noted of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MovedErasure {
    pub(super) id: i64,
    pub(super) erased_at: String,
    pub(super) kind: String,
    pub(super) hash: Vec<u8>,
    pub(super) reports: i64,
    pub(super) tokens: i64,
}

/// How much was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Moved {
    /// Reports that were moved now.
    pub reports: u64,
    /// Reports that had been moved before.
    pub before: u64,
    /// Tokens, those that have ended included.
    pub tokens: u64,
}

impl Store {
    /// Copies everything into another database, and counts it there. Reports keep their positions, so
    /// that an export goes on where it was; tokens stay what they are. It can be called again, and goes
    /// on where it ended. What has this database open should not write meanwhile.
    ///
    /// A name that is longer than what is taken today, and was stored by an earlier version, is
    /// shortened: to its beginning and its SHA-256.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotEmpty`] if the other one has something that is not from here;
    /// [`StoreError::Miscounted`] if it has another number of reports in the end; otherwise what
    /// either of them says.
    pub fn move_to(&self, other: &Self) -> Result<Moved, StoreError> {
        let (from, to) = (self.backend(), other.backend());
        let tokens = tokens(from)?;
        let not_empty = || StoreError::NotEmpty { path: to.path().to_owned() };
        if !to.tokens_to_move()?.iter().all(|token| tokens.contains(token)) {
            return Err(not_empty());
        }
        let (before, last) = to.extent()?;
        // What is there is from here if its first and its last report are.
        for after in [0, last - 1] {
            let here = reports(from, after.max(0))?.into_iter().next();
            let there = to.reports_to_move(after.max(0))?.into_iter().next();
            if last > 0 && here != there {
                return Err(not_empty());
            }
        }
        let mut moved = Moved { reports: 0, before, tokens: tokens.len() as u64 };
        to.take(&Portion { tokens, ..Portion::default() })?;
        let mut after = last;
        loop {
            let reports = reports(from, after)?;
            let Some(end) = reports.last() else { break };
            after = end.position;
            moved.reports += reports.len() as u64;
            to.take(&Portion { reports, ..Portion::default() })?;
        }
        let mut after = None;
        loop {
            let keys = keys(from, after.as_ref())?;
            let Some(end) = keys.last() else { break };
            after = Some((end.token_id, end.key.clone()));
            to.take(&Portion { keys, ..Portion::default() })?;
        }
        let (erasures, refusals) = (from.erasures_to_move()?, from.refusals("")?);
        to.take(&Portion { erasures, refusals, ..Portion::default() })?;
        to.go_on_after(from.last_position()?)?;
        let (expected, found) = (from.extent()?.0, to.extent()?.0);
        if expected == found { Ok(moved) } else { Err(StoreError::Miscounted { expected, found }) }
    }
}

fn tokens(from: &dyn Backend) -> Result<Vec<MovedToken>, StoreError> {
    let mut tokens = from.tokens_to_move()?;
    for token in &mut tokens {
        shorten(&mut token.organisation, ORGANISATION);
    }
    Ok(tokens)
}

fn reports(from: &dyn Backend, after: i64) -> Result<Vec<MovedReport>, StoreError> {
    let mut reports = from.reports_to_move(after)?;
    for report in &mut reports {
        shorten(&mut report.row.product, PRODUCT);
    }
    Ok(reports)
}

fn keys(from: &dyn Backend, after: Option<&(i64, String)>) -> Result<Vec<LeftKey>, StoreError> {
    let mut keys = from.keys_to_move(after)?;
    for key in &mut keys {
        shorten(&mut key.product, PRODUCT);
    }
    Ok(keys)
}

fn shorten(name: &mut String, most: usize) {
    *name = shortened(std::mem::take(name), most);
}
