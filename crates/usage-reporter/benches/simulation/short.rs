//! Hosts that do not run all the time: which of their periods are reported?

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use usage_proto::{Api, BaseUrl, Server};
use usage_reporter::{Action, AttemptId, Config, Event, ReportKind, Reporter, Seed, State};

use crate::HOUR;
use crate::fleet::{LATENCY, Report};
use crate::summary::float;

const DAY: Duration = HOUR.saturating_mul(24);

/// How long a program waits for its reports when it ends.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(2);

/// The least share of its periods that a host reports.
pub(crate) const BOUND: f64 = 0.95;

/// How a host lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    life: Duration,
    /// From the start of one run to the start of the next, on average and at the most; the first
    /// comes somewhere within it.
    every: Duration,
    /// Whether the time between two starts is random, or always the same.
    is_random: bool,
}

pub(crate) const KINDS: [Kind; 3] = [
    Kind {
        name: "2 s at a time, a few times a day",
        life: Duration::from_secs(2),
        every: HOUR.saturating_mul(6),
        is_random: true,
    },
    Kind { name: "1 h a day", life: HOUR, every: DAY, is_random: false },
    Kind { name: "for ever", life: Duration::MAX, every: DAY, is_random: false },
];

pub(crate) const HOSTS: u32 = 2_000;
pub(crate) const LENGTH: Duration = DAY.saturating_mul(60);

/// What the hosts of a kind have reported.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Share {
    /// Periods in which the host ran at its slot or after.
    pub(crate) periods: u64,
    /// Those of them in which a report was delivered.
    pub(crate) reported: u64,
}

impl Share {
    pub(crate) fn of_all(&self) -> f64 {
        float(self.reported) / float(self.periods)
    }

    /// Whether the bound is kept.
    pub(crate) fn holds(&self) -> bool {
        self.of_all() >= BOUND
    }
}

/// Lives through sixty days with all hosts of a kind.
pub(crate) fn simulate(kind: Kind) -> Share {
    let hosts = (0..HOSTS).map(|number| Host::new(number, kind).live());
    hosts.fold(Share::default(), |all, host| Share {
        periods: all.periods + host.periods,
        reported: all.reported + host.reported,
    })
}

struct Host {
    number: u32,
    kind: Kind,
    /// Where virtual time begins.
    origin: Instant,
    time: Duration,
    starts: u32,
    /// What is on the disk.
    state: State,
    /// When the host first ran with its slot behind it.
    owes_since: Option<Duration>,
    share: Share,
}

impl Host {
    fn new(number: u32, kind: Kind) -> Self {
        // The instant is never read again; all others are counted from it.
        let origin = Instant::now();
        let time = kind.every * number / HOSTS;
        let (state, share) = (State::new(), Share::default());
        Self { number, kind, origin, time, starts: 0, state, owes_since: None, share }
    }

    fn live(mut self) -> Share {
        while self.time < LENGTH {
            let began = self.time;
            self.run();
            self.starts += 1;
            self.time = self.time.max(began.saturating_add(self.until_the_next_start()));
        }
        self.share
    }

    /// A few hours, in no order that has to do with a reporter.
    fn until_the_next_start(&self) -> Duration {
        let every = self.kind.every;
        if !self.kind.is_random {
            return every;
        }
        let mixed = (self.number ^ self.starts.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
        every * (mixed >> 16) / 0x8000
    }

    /// One process, from its start to its shutdown.
    fn run(&mut self) {
        let end = self.time.saturating_add(self.kind.life).min(LENGTH);
        self.look_at_the_slot();
        let mut reporter = self.start();
        let mut asked: Option<(AttemptId, Duration)> = None;
        let mut is_closed = false;
        loop {
            let now = self.origin + self.time;
            if let Some((id, _)) = asked.take_if(|(_, answer)| *answer <= self.time) {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::CREATED;
                reporter.on_response(now, id, response);
            }
            if self.time >= end && !is_closed {
                is_closed = true;
                reporter.close(now + SHUTDOWN);
            }
            self.look_at_the_slot();
            match reporter.poll(now) {
                Action::Collect => {
                    // A body of a few bytes is always taken.
                    let taken = reporter.submit(now, &Report);
                    debug_assert!(taken.is_ok());
                }
                Action::Send(attempt) => asked = Some((attempt.id, self.time + LATENCY)),
                Action::Persist(snapshot) => self.state = stored(&snapshot.into_state(self.wall())),
                Action::Event(Event::Delivered { report: ReportKind::Usage, .. }) => {
                    self.reported();
                }
                Action::Event(_) => {}
                Action::Wait(until) => {
                    let answer = asked.map_or(Duration::MAX, |(_, answer)| answer);
                    let end = if is_closed { Duration::MAX } else { end };
                    self.time = (until - self.origin).min(answer).min(end);
                }
                Action::Stopped => return,
            }
        }
    }

    fn start(&self) -> Reporter {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&self.number.to_le_bytes());
        seed[4..8].copy_from_slice(&self.starts.to_le_bytes());
        let seed = Seed::from_bytes(seed);
        let (api, state) = (Api::new(BaseUrl::STAGING), self.state.clone());
        let (now, wall) = (self.origin + self.time, self.wall());
        let mut reporter = Reporter::new(Config::new(), api, state, seed, now, wall)
            .unwrap_or_else(|error| unreachable!("the default configuration: {error}"));
        let taken = reporter.register(now, &Server::new());
        debug_assert!(taken.is_ok());
        reporter
    }

    /// A host that runs with its slot behind it owes a report, within a period.
    fn look_at_the_slot(&mut self) {
        let period = Config::new().period;
        self.owes_since.take_if(|since| *since + period < self.time);
        let has_passed = self.state.next_due().is_some_and(|slot| slot <= self.wall());
        if has_passed && self.owes_since.is_none() {
            self.owes_since = Some(self.time);
            self.share.periods += 1;
        }
    }

    fn reported(&mut self) {
        if self.owes_since.take().is_some() {
            self.share.reported += 1;
        }
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + DAY * 20_000 + self.time
    }
}

/// A state as it comes back from the disk.
fn stored(state: &State) -> State {
    serde_json::to_string(state)
        .and_then(|text| serde_json::from_str(&text))
        .unwrap_or_else(|error| unreachable!("a state is JSON, and back: {error}"))
}
