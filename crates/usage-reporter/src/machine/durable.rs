//! The state while the process lives.

use std::time::{Duration, Instant, SystemTime};

use usage_proto::IdempotencyKey;

use super::random::Random;
use crate::config::Config;
use crate::state::last_sent::LastSent;
use crate::state::snapshot::Snapshot;
use crate::state::{FirstSlot, State};
use crate::time::after;

/// What is to be stored, and whether it has changed since it was.
#[derive(Debug, Clone)]
pub(crate) struct Durable {
    state: State,
    /// The last acknowledgement of this run.
    acknowledged: Option<Instant>,
    /// How long the machine slept since.
    slept: Duration,
    /// The key of the run before, until a report of this run is sent with it. The box keeps an idle
    /// reporter small.
    inherited: Option<Box<Inherited>>,
    /// The usage report that left last, and when; until it is stored.
    sent: Option<Box<(LastSent, Instant)>>,
    unsaved: bool,
    /// It was handed out, and may not be on the disk yet.
    on_its_way: bool,
    storing: Storing,
}

/// A key that may name a report that the API has.
#[derive(Debug, Clone)]
struct Inherited {
    key: IdempotencyKey,
    /// When the slot of that report is over. The next one has the numbers of another period: under
    /// this key an API that has the first would drop them without a word.
    until: Instant,
    /// A report that waits to be sent has it.
    is_taken: bool,
}

/// How the last two attempts to store the state went.
#[derive(Debug, Clone, Copy, Default)]
struct Storing {
    failed: bool,
    failed_before: bool,
}

impl Durable {
    pub(crate) fn new(
        mut state: State,
        config: &Config,
        now: Instant,
        wall_now: SystemTime,
    ) -> Self {
        let is_drawn = matches!(state.first_slot(config, wall_now), FirstSlot::Drawn(_));
        let inherited = state.key_to_take_over(config, wall_now);
        let inherited = inherited.map(|(key, left)| {
            Box::new(Inherited { key, until: after(now, left), is_taken: false })
        });
        state.unacknowledged_key = inherited.as_ref().map(|inherited| inherited.key);
        // A slot that is drawn now is kept over restarts. That of a key says for how long it is right.
        let unsaved = state.unsaved || !is_drawn && inherited.is_none();
        Self {
            state,
            acknowledged: None,
            slept: Duration::ZERO,
            inherited,
            sent: None,
            unsaved,
            on_its_way: false,
            storing: Storing::default(),
        }
    }

    /// The key for a usage report that is about to be sent for the first time. It has to be stored
    /// before: a process that dies between the sending and the answer sends the next report with
    /// the same key, and an API that has seen it does not count twice.
    pub(crate) fn key_for_usage(&mut self, now: Instant, random: &mut Random) -> IdempotencyKey {
        self.expire(now);
        let key = match &mut self.inherited {
            Some(inherited) => {
                inherited.is_taken = true;
                inherited.key
            }
            None => IdempotencyKey::from_bytes(random.bytes()),
        };
        self.state.unacknowledged_key = Some(key);
        key
    }

    /// Drops the key of a slot that is over.
    fn expire(&mut self, now: Instant) {
        if let Some(over) = self.inherited.take_if(|inherited| inherited.until <= now) {
            self.state.unacknowledged_key.take_if(|key| *key == over.key);
        }
    }

    /// A report went out with `key`: it names that report from now on.
    pub(crate) fn sent(&mut self, key: IdempotencyKey) {
        self.inherited.take_if(|inherited| inherited.key == key);
    }

    /// A usage report is lost, and whoever counts was told so: what comes next is another report,
    /// after a restart too. A key of the run before that was not sent stays, since what it names
    /// was another one.
    pub(crate) fn lost(&mut self, key: Option<IdempotencyKey>) {
        let inherited = self.inherited.as_ref().map(|inherited| inherited.key);
        if key.is_some() && key == self.state.unacknowledged_key && key != inherited {
            self.state.unacknowledged_key = None;
            self.unsaved = true;
        }
    }

    /// Every report is lost.
    pub(crate) fn all_lost(&mut self) {
        self.lost(self.state.unacknowledged_key);
    }

    pub(crate) fn acknowledged(&mut self, now: Instant) {
        self.acknowledged = Some(now);
        self.slept = Duration::ZERO;
        self.state.unacknowledged_key = None;
        self.state.failures = 0;
        self.unsaved = true;
    }

    /// The machine slept, and the clock stood still: more time has passed than it knows.
    pub(crate) fn slept(&mut self, now: Instant, length: Duration) {
        self.slept = self.slept.saturating_add(length);
        if let Some(inherited) = &mut self.inherited {
            let left = inherited.until.saturating_duration_since(now);
            inherited.until = after(now, left.saturating_sub(length));
        }
        self.unsaved = true;
    }

    pub(crate) fn given_up(&mut self) {
        self.state.failures = self.state.failures.saturating_add(1);
        self.unsaved = true;
    }

    /// A usage report left at `then`. It is stored with what becomes of it.
    pub(crate) fn left(&mut self, report: LastSent, then: Instant) {
        self.sent = Some(Box::new((report, then)));
    }

    /// The next slot was drawn, and nothing else is to be stored with it.
    pub(crate) fn slot_changed(&mut self) {
        self.unsaved = true;
    }

    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// Whether there is nothing that the host has yet to store.
    #[cfg_attr(
        not(any(feature = "blocking", feature = "tokio")),
        expect(dead_code, reason = "the drivers alone wait for it")
    )]
    pub(crate) fn is_settled(&self) -> bool {
        !self.unsaved && !self.on_its_way
    }

    /// The host is back from what it was told to do last.
    pub(crate) fn host_is_back(&mut self) {
        self.on_its_way = false;
    }

    /// What to store now, where the next slot begins at `next_due`.
    pub(crate) fn save(&mut self, next_due: Instant, now: Instant) -> Snapshot {
        // Until a report of this run has the key, it is worth something for as long as its slot.
        if self.waiting_key().is_some() {
            self.expire(now);
        }
        let next_due = self.waiting_key().map_or(next_due, |inherited| inherited.until);
        self.unsaved = false;
        self.on_its_way = true;
        self.state.unsaved = false;
        self.storing = Storing { failed: false, failed_before: self.storing.failed };
        let ago = |then| now.saturating_duration_since(then).saturating_add(self.slept);
        let due = next_due.saturating_duration_since(now);
        let sent = self.sent.take().map(|sent| {
            let (report, then) = *sent;
            Box::new((report, now.saturating_duration_since(then)))
        });
        Snapshot::new(self.state.clone(), self.acknowledged.map(ago), due, sent)
    }

    /// The key of the run before, if no report of this run has it.
    fn waiting_key(&self) -> Option<&Inherited> {
        self.inherited.as_deref().filter(|inherited| !inherited.is_taken)
    }

    /// The host could not store it. Tells whether it could not the last time either. The next
    /// state has all that was in this one: it is stored when there is something new.
    pub(crate) fn not_stored(&mut self) -> bool {
        self.storing.failed = true;
        self.storing.failed_before
    }
}
