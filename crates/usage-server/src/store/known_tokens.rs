//! Tokens that were looked up a moment ago.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::sender::Sender;
use crate::store::token_hash::TokenHash;

/// How long a token is taken for what it was: half of the time in which a revoked one is refused.
const FRESH: Duration = Duration::from_secs(5);

/// How many are kept; beyond it all are looked up anew.
const MOST: usize = 10_000;

/// What was found, and when. A token that is not known is not kept: there are endlessly many.
#[derive(Debug, Default)]
pub(super) struct KnownTokens {
    found: Mutex<HashMap<TokenHash, (Instant, Sender)>>,
}

impl KnownTokens {
    pub(super) fn get(&self, token: TokenHash) -> Option<Sender> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, sender) = found.get(&token)?;
        (at.elapsed() < FRESH).then(|| sender.clone())
    }

    /// `asked` is when the database was asked: what it said is as old as that.
    pub(super) fn put(&self, token: TokenHash, asked: Instant, sender: &Sender) {
        if matches!(sender, Sender::Unknown) {
            return;
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= MOST {
            found.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        if found.len() >= MOST {
            found.clear();
        }
        found.insert(token, (asked, sender.clone()));
    }

    /// Forgets all, since tokens were changed here.
    pub(super) fn clear(&self) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
