//! The state machine.

mod durable;
mod event_queue;
mod gate;
mod inputs;
mod outage;
mod outcome;
mod poll;
mod queue;
mod random;
pub(crate) mod report;
mod schedule;
mod totals;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use usage_proto::{Api, Error};

use self::durable::Durable;
use self::event_queue::EventQueue;
use self::gate::Gate;
use self::outage::Outage;
use self::queue::Queue;
use self::random::Random;
use self::report::Report;
use self::schedule::Schedule;
use self::totals::Totals;
use crate::action::AttemptId;
use crate::config::{Config, ConfigError};
use crate::seed::Seed;
use crate::state::State;
use crate::status::{Phase, Status};

/// Decides when to report. It does no IO, reads no clock and starts no thread: its methods are told
/// the time, and [`poll`](Self::poll) says what to do.
///
/// The [crate's page](crate) has the loop around it and its states.
pub struct Reporter {
    config: Config,
    api: Arc<Api>,
    random: Random,
    started: Instant,
    /// The latest instant that was told: callers on several threads may be a little late.
    now: Instant,
    phase: Phase,
    schedule: Schedule,
    gate: Gate,
    queue: Queue,
    in_flight: Option<Box<InFlight>>,
    /// The number of the last attempt.
    attempts: u64,
    durable: Durable,
    outage: Outage,
    events: EventQueue,
    totals: Totals,
    last_success: Option<Instant>,
    last_error: Option<Arc<Error>>,
    collect_error: Option<Arc<dyn StdError + Send + Sync>>,
}

/// A report that is being sent.
#[derive(Debug, Clone)]
struct InFlight {
    id: AttemptId,
    report: Report,
    /// Where it went.
    api: Arc<Api>,
    sent: Instant,
    answer_by: Instant,
}

/// # Construct
impl Reporter {
    /// A reporter that starts now.
    ///
    /// `state` is the one that was stored last, or [`State::new`]. `seed` is a fresh
    /// one at every start. `wall_now` judges how old the state is, and is not used again.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the configuration makes no sense.
    pub fn new(
        config: Config,
        api: impl Into<Arc<Api>>,
        state: State,
        seed: Seed,
        now: Instant,
        wall_now: SystemTime,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let mut random = Random::new(seed);
        let schedule = Schedule::new(&config, &state, now, wall_now, &mut random);
        let durable = Durable::new(state, &config, now, wall_now);
        let attempts = random.number();
        Ok(Self {
            config,
            api: api.into(),
            random,
            started: now,
            now,
            phase: Phase::Running,
            schedule,
            gate: Gate::default(),
            queue: Queue::default(),
            in_flight: None,
            attempts,
            durable,
            outage: Outage::default(),
            events: EventQueue::default(),
            totals: Totals::default(),
            last_success: None,
            last_error: None,
            collect_error: None,
        })
    }
}

/// # Inspect
impl Reporter {
    /// How it is going.
    #[must_use]
    pub fn status(&self) -> Status {
        let in_flight = usize::from(self.in_flight.is_some());
        Status {
            phase: self.phase,
            last_success: self.last_success,
            last_error: self.last_error.clone(),
            collect_error: self.collect_error.clone(),
            in_outage: self.outage.is_open(),
            next_due: self.next_due(),
            accepted: self.totals.accepted,
            delivered: self.totals.delivered,
            lost: self.totals.lost,
            pending: (self.queue.items() + in_flight) as u64,
            pending_bytes: self.queue.bytes(),
        }
    }

    /// The API that new reports go to.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// When usage is due, as far as the API allows.
    fn next_due(&self) -> Option<Instant> {
        let running = matches!(self.phase, Phase::Running);
        running.then(|| self.gate.opens(self.schedule.due()).max(self.now))
    }
}

impl Reporter {
    /// The latest instant that was told.
    fn clock(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    /// The API, to encode for without this reporter at hand.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) fn shared_api(&self) -> Arc<Api> {
        Arc::clone(&self.api)
    }
}

/// Without the seed, the token and what the reports say.
impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter")
            .field("config", &self.config)
            .field("api", &self.api)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
