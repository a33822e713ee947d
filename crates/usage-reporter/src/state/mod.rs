//! What outlives the process.

#[cfg(feature = "state_file")]
pub(crate) mod file;
pub(crate) mod identity;
pub(crate) mod last_sent;
pub(crate) mod snapshot;
mod stamp;
mod stored;
pub(crate) mod to_forget;

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use usage_proto::IdempotencyKey;

use self::identity::Identity;
use self::stamp::Stamp;
use self::stored::Stored;
use self::to_forget::ToForget;
use crate::config::Config;

/// What a reporter has to remember over a restart: the identity of the server, when usage was last
/// acknowledged, and the key of a report whose answer was never seen.
///
/// Keep it where it survives the process and where only one process writes, and write it so that a
/// crash leaves the old one or the new one. It serializes with serde, in any format; the format of
/// the fields has a version, and a state of another version is an error, never a guess.
///
/// ```
/// use usage_reporter::State;
///
/// let stored = serde_json::to_string(&State::new())?;
/// assert_eq!(stored, r#"{"version":1}"#);
/// let state: State = serde_json::from_str(&stored)?;
/// assert_eq!(state.acknowledged(), None);
/// assert!(serde_json::from_str::<State>(r#"{"version":2}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct State {
    pub(crate) server_id: Option<String>,
    pub(crate) cluster_id: Option<String>,
    pub(crate) acknowledged: Option<Stamp>,
    pub(crate) unacknowledged_key: Option<IdempotencyKey>,
    pub(crate) failures: u64,
    pub(crate) next_due: Option<Stamp>,
    /// Identities that were given up, and that the API is to forget.
    pub(crate) to_forget: Vec<ToForget>,
    /// An identity was minted and is not stored yet.
    pub(crate) unsaved: bool,
}

/// # Construct
impl State {
    /// The state of a host that has never reported.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// # Change
impl State {
    /// Gives a copy an identity of its own, once: a state that was copied with its machine, or came
    /// with an image, is that of another server ([`Identity`]).
    ///
    /// It is as good as [`new`](Self::new) then: the ids are minted anew, and the slot, the key and
    /// the last acknowledgement, which were the other server's, are gone. Store it before anything
    /// else ([`is_unsaved`](Self::is_unsaved)).
    ///
    /// ```
    /// use usage_reporter::{Identity, State};
    ///
    /// # let (random, other) = ([7; 16], [8; 16]);
    /// let mut state = State::new();
    /// let original = Identity::new(&mut state, "clus1", random);
    ///
    /// let mut copy = state.clone();
    /// copy.new_identity();
    /// assert_ne!(Identity::new(&mut copy, "clus1", other), original);
    /// ```
    pub fn new_identity(&mut self) {
        let to_forget = std::mem::take(&mut self.to_forget);
        *self = Self { unsaved: true, to_forget, ..Self::new() };
    }

    /// Gives the identity up, as one that the API is to forget; tells whether there was one.
    pub(crate) fn give_up_identity(&mut self, cluster_id: Option<&str>) -> bool {
        let Some(server_id) = self.server_id.take() else { return false };
        let of_own = self.cluster_id.take();
        let cluster_id = cluster_id.map(str::to_owned).or(of_own).unwrap_or_default();
        to_forget::add(&mut self.to_forget, cluster_id, server_id);
        self.new_identity();
        true
    }
}

/// # Inspect
impl State {
    /// The id of this server, once there is one ([`Identity`]).
    #[must_use]
    pub fn server_id(&self) -> Option<&str> {
        self.server_id.as_deref()
    }

    /// The id of this server's cluster, where it was minted here
    /// ([`Identity::single_node`](crate::Identity::single_node)).
    #[must_use]
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    /// When the API last acknowledged a usage report, as the wall clock had it.
    #[must_use]
    pub fn acknowledged(&self) -> Option<SystemTime> {
        self.acknowledged.map(Stamp::to_system_time)
    }

    /// The key of the usage report that was being delivered when this was stored: it may have been
    /// sent, and its answer was not seen. A report that was given up leaves none behind.
    ///
    /// The next start sends its first report under this key, so that an API that has the report
    /// already does not count twice. It does so only while that is the same report: usage has to be
    /// due at the start, and [`next_due`](Self::next_due) must not have passed by the wall clock.
    /// Later numbers are those of another period, and would be dropped under a key that is known.
    #[must_use]
    pub fn unacknowledged_key(&self) -> Option<IdempotencyKey> {
        self.unacknowledged_key
    }

    /// How many usage reports in a row were given up after a failed attempt.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// When the next usage report is due. It was drawn by the run that stored this, and stays the
    /// same over restarts: a program that runs for an hour a day gets to report, too. For as long as
    /// it lies ahead, [`unacknowledged_key`](Self::unacknowledged_key) is worth something.
    #[must_use]
    pub fn next_due(&self) -> Option<SystemTime> {
        self.next_due.map(Stamp::to_system_time)
    }

    /// Whether a reporter that starts with this state has usage to report: its slot has passed, or a
    /// report was on its way when the last run ended. Such a reporter asks for numbers within
    /// [`Config::start_spread`], or at once if it is closed.
    ///
    /// A state without a slot is not due: the first slot has to be drawn, and stored.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use usage_reporter::{Config, State};
    ///
    /// let state: State = serde_json::from_str(r#"{"version":1,"next_due_unix_ns":1}"#)?;
    /// assert!(state.is_due(&Config::new(), SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1)));
    /// assert!(!State::new().is_due(&Config::new(), SystemTime::UNIX_EPOCH));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn is_due(&self, config: &Config, wall_now: SystemTime) -> bool {
        matches!(self.first_slot(config, wall_now), FirstSlot::Late(_))
    }

    /// Whether an API was asked to forget an identity of this state, and the request is
    /// [due](crate::ForgetMe::again) to be sent again.
    #[must_use]
    pub fn is_to_be_forgotten(&self, wall_now: SystemTime) -> bool {
        self.to_forget.iter().any(|one| one.is_due(wall_now))
    }

    /// Whether a customer who asks to be forgotten has something to be forgotten: an identity, or one
    /// that was given up and is not forgotten yet.
    #[must_use]
    pub fn has_something_to_forget(&self) -> bool {
        self.server_id.is_some() || !self.to_forget.is_empty()
    }

    /// The identities that the API is to forget and is asked for again, at starts of the program or
    /// by [`ForgetMe::again`](crate::ForgetMe::again): it was out of reach, or could not do it then.
    #[must_use]
    pub fn waiting_to_be_forgotten(&self) -> Vec<Identity> {
        self.to_forget.iter().filter(|one| one.is_pending()).map(ToForget::identity).collect()
    }

    /// The identities that the API was to forget and is not asked for any more, since it refuses or
    /// was never reached. Whoever [asks again](crate::ForgetMe::asked) asks for these too.
    #[must_use]
    pub fn not_forgotten(&self) -> Vec<Identity> {
        self.to_forget.iter().filter(|one| !one.is_pending()).map(ToForget::identity).collect()
    }

    /// Whether it holds an identity that was minted since it was loaded, or was given up
    /// ([`new_identity`](Self::new_identity)).
    ///
    /// Store it before anything else then: a host that could not, and reported all the same, would
    /// be another server at each start.
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// The key under which the first report of a start goes out, and for how long it is right.
    pub(crate) fn key_to_take_over(
        &self,
        config: &Config,
        wall_now: SystemTime,
    ) -> Option<(IdempotencyKey, Duration)> {
        let key = self.unacknowledged_key?;
        if matches!(self.last_report(wall_now), LastReport::Ago(elapsed) if elapsed < config.period)
        {
            return None;
        }
        // No slot is longer, however far the clock was set back.
        let longest = config.period.saturating_add(config.jitter);
        let left = match self.next_due {
            None => longest,
            Some(due) => due.after(Stamp::new(wall_now))?.min(longest),
        };
        (!left.is_zero()).then_some((key, left))
    }

    /// When the first slot of a start is.
    pub(crate) fn first_slot(&self, config: &Config, wall_now: SystemTime) -> FirstSlot {
        if self.key_to_take_over(config, wall_now).is_some() {
            return FirstSlot::Late(Duration::MAX);
        }
        let now = Stamp::new(wall_now);
        let last = self.last_report(wall_now);
        // Within a period of an acknowledgement nothing is sent, whatever was drawn.
        let rest = match last {
            LastReport::Ago(elapsed) => config.period.saturating_sub(elapsed),
            LastReport::Never | LastReport::InTheFuture => Duration::ZERO,
        };
        // No slot is drawn further ahead: the clock was set back, or the period was longer.
        let furthest = config.period.saturating_add(config.jitter);
        let drawn = self.next_due.filter(|due| due.after(now).is_none_or(|left| left <= furthest));
        match (drawn, last) {
            (Some(due), _) if due.after(now).is_some_and(|left| left >= rest) => {
                FirstSlot::Drawn(due.after(now).unwrap_or_default())
            }
            _ if !rest.is_zero() => FirstSlot::After(rest),
            (Some(due), _) => FirstSlot::Late(now.after(due).unwrap_or_default()),
            (None, LastReport::Never) => FirstSlot::New,
            (None, LastReport::Ago(_) | LastReport::InTheFuture) => FirstSlot::Late(Duration::MAX),
        }
    }

    pub(crate) fn last_report(&self, wall_now: SystemTime) -> LastReport {
        match self.acknowledged {
            None => LastReport::Never,
            Some(stamp) => {
                Stamp::new(wall_now).after(stamp).map_or(LastReport::InTheFuture, LastReport::Ago)
            }
        }
    }
}

/// When the first slot of a start is, as its state has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstSlot {
    /// Nothing is known: anywhere in a period.
    New,
    /// In this time, as it was drawn.
    Drawn(Duration),
    /// After the rest of the period, and a jitter.
    After(Duration),
    /// It has passed, so long ago.
    Late(Duration),
}

/// The last acknowledgement, as a start sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastReport {
    Never,
    Ago(Duration),
    /// The clock was set back since, or was wrong then: the stamp says nothing.
    InTheFuture,
}
