//! The state while the process lives.

use std::time::Instant;

use usage_proto::IdempotencyKey;

use crate::random::Random;
use crate::state::{Snapshot, State};

/// What is to be stored, and whether it has changed since it was.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    state: State,
    /// The last acknowledgement of this run.
    acknowledged: Option<Instant>,
    /// The key of the run before, until a report of this run is sent with it.
    inherited: Option<IdempotencyKey>,
    unsaved: bool,
    storing: Storing,
}

/// How the last two attempts to store the state went.
#[derive(Debug, Clone, Copy, Default)]
struct Storing {
    failed: bool,
    failed_before: bool,
}

impl Memory {
    pub(crate) fn new(state: State) -> Self {
        let (inherited, unsaved) = (state.unacknowledged_key, state.unsaved);
        Self { state, acknowledged: None, inherited, unsaved, storing: Storing::default() }
    }

    /// The key for a usage report that is about to be sent for the first time. It has to be stored
    /// before: a process that dies between the sending and the answer sends the next report with
    /// the same key, and an API that has seen it does not count twice.
    pub(crate) fn key_for_usage(&mut self, random: &mut Random) -> IdempotencyKey {
        let key = self.inherited.unwrap_or_else(|| IdempotencyKey::from_bytes(random.bytes()));
        self.state.unacknowledged_key = Some(key);
        key
    }

    /// A report went out with `key`: it names that report from now on.
    pub(crate) fn sent(&mut self, key: IdempotencyKey) {
        self.inherited = self.inherited.filter(|inherited| *inherited != key);
    }

    pub(crate) fn acknowledged(&mut self, now: Instant) {
        self.acknowledged = Some(now);
        self.state.unacknowledged_key = None;
        self.state.failures = 0;
        self.unsaved = true;
    }

    pub(crate) fn given_up(&mut self) {
        self.state.failures = self.state.failures.saturating_add(1);
        self.unsaved = true;
    }

    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// What to store now.
    pub(crate) fn save(&mut self, next_due: Option<Instant>, now: Instant) -> Snapshot {
        self.unsaved = false;
        self.state.unsaved = false;
        self.storing = Storing { failed: false, failed_before: self.storing.failed };
        Snapshot::new(self.state.clone(), self.acknowledged, next_due, now)
    }

    /// The host could not store it. Tells whether it could not the last time either. The next
    /// state has all that was in this one: it is stored when there is something new.
    pub(crate) fn not_stored(&mut self) -> bool {
        self.storing.failed = true;
        self.storing.failed_before
    }
}
