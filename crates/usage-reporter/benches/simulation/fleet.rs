//! The hosts, the API, and the time between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use usage_proto::{Api, BaseUrl, Saveable, Server};
use usage_reporter::{Action, AttemptId, Config, Event, Reporter, Seed, State};

/// The width of a bin in which requests are counted.
pub(crate) const BIN: Duration = Duration::from_secs(5 * 60);

/// How long the API takes to answer.
pub(crate) const LATENCY: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) hosts: u32,
    /// All of them start within this time.
    pub(crate) starting: Duration,
    pub(crate) length: Duration,
    /// In between, every answer is 503.
    pub(crate) outage: (Duration, Duration),
}

/// What arrived at the API, and what it cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load {
    /// Requests in each bin.
    pub(crate) bins: Vec<u64>,
    pub(crate) hosts: u64,
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) pending: u64,
    /// Outages that were announced, each a line at WARN.
    pub(crate) warnings: u64,
    pub(crate) polls: u64,
}

impl Load {
    pub(crate) fn add(mut self, other: Self) -> Self {
        self.bins.resize(self.bins.len().max(other.bins.len()), 0);
        self.bins.iter_mut().zip(other.bins).for_each(|(bin, more)| *bin += more);
        self.hosts += other.hosts;
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.pending += other.pending;
        self.warnings += other.warnings;
        self.polls += other.polls;
        self
    }
}

/// Lives through the scenario with these hosts of it.
pub(crate) fn simulate(scenario: &Scenario, hosts: Range<u32>) -> Load {
    let mut fleet = Fleet::new(*scenario, hosts);
    while fleet.step() {}
    fleet.finish()
}

struct Fleet {
    scenario: Scenario,
    start: Instant,
    hosts: Vec<Host>,
    /// When each host has something to do, in milliseconds, and which one.
    wakes: BinaryHeap<Reverse<(u64, u32)>>,
    load: Load,
}

struct Host {
    reporter: Reporter,
    /// A request that the API is answering.
    asked: Option<AttemptId>,
}

impl Fleet {
    fn new(scenario: Scenario, numbers: Range<u32>) -> Self {
        // The instant is never read again; all others are counted from it.
        let start = Instant::now();
        let api = Arc::new(Api::new(BaseUrl::STAGING));
        let mut wakes = BinaryHeap::with_capacity(numbers.len());
        let mut hosts = Vec::with_capacity(numbers.len());
        for number in numbers {
            let at = scenario.starting * (number % 60_000) / 60_000;
            let reporter = start_one(number, Arc::clone(&api), start + at);
            wakes.push(Reverse((millis(at), u32::try_from(hosts.len()).unwrap_or(u32::MAX))));
            hosts.push(Host { reporter, asked: None });
        }
        let bins = usize::try_from(scenario.length.as_secs() / BIN.as_secs()).unwrap_or(0);
        let load = Load { bins: vec![0; bins], ..Load::default() };
        Self { scenario, start, hosts, wakes, load }
    }

    /// Goes to the next host that has something to do; tells whether there is time left.
    fn step(&mut self) -> bool {
        let Some(Reverse((at, index))) = self.wakes.pop() else { return false };
        let at = Duration::from_millis(at);
        if at >= self.scenario.length {
            return false;
        }
        let wake = self.run(index, at);
        self.wakes.push(Reverse((millis(wake), index)));
        true
    }

    /// Lets a host do what there is to do at one time; returns when there is more.
    fn run(&mut self, index: u32, at: Duration) -> Duration {
        let now = self.start + at;
        let Some(host) = self.hosts.get_mut(index as usize) else { return Duration::MAX };
        if let Some(id) = host.asked.take() {
            host.reporter.on_response(now, id, answer(&self.scenario, at));
        }
        loop {
            self.load.polls += 1;
            match host.reporter.poll(now) {
                Action::Collect => {
                    // A body of a few bytes is always taken.
                    let taken = host.reporter.submit(now, &Report);
                    debug_assert!(taken.is_ok());
                }
                Action::Send(attempt) => {
                    let bin = at.as_secs() / BIN.as_secs();
                    if let Some(bin) = self.load.bins.get_mut(usize::try_from(bin).unwrap_or(0)) {
                        *bin += 1;
                    }
                    host.asked = Some(attempt.id);
                    return at + LATENCY;
                }
                Action::Event(Event::OutageBegan { .. }) => self.load.warnings += 1,
                Action::Event(_) | Action::Persist(_) => {}
                Action::Wait(until) => return until - self.start,
                Action::Stopped => return Duration::MAX,
            }
        }
    }

    fn finish(mut self) -> Load {
        for host in &self.hosts {
            let status = host.reporter.status();
            self.load.hosts += 1;
            self.load.accepted += status.accepted;
            self.load.delivered += status.delivered;
            self.load.lost += status.lost;
            self.load.pending += status.pending;
        }
        self.load
    }
}

/// A host that has never reported: it registers, and begins its schedule.
fn start_one(number: u32, api: Arc<Api>, now: Instant) -> Reporter {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    let state = State::new();
    let (seed, wall) = (Seed::from_bytes(seed), SystemTime::UNIX_EPOCH);
    let mut reporter = Reporter::new(Config::new(), api, state, seed, now, wall)
        .unwrap_or_else(|error| unreachable!("the default configuration: {error}"));
    let taken = reporter.register(now, &Server::new());
    debug_assert!(taken.is_ok());
    reporter
}

fn answer(scenario: &Scenario, at: Duration) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    if (scenario.outage.0..scenario.outage.1).contains(&at) {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

/// Rounded up: nothing may happen before its time.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// What it says does not matter here.
#[derive(serde::Serialize)]
pub(crate) struct Report;

impl Saveable for Report {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        ["usage", "influxdb"]
    }
}
