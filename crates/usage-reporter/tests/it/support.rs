//! A host in virtual time, for tests that look at one thing at a time.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use usage_proto::{Api, BaseUrl, IDEMPOTENCY_KEY, Stats, StatsData, Token, Usage, UsageData};
use usage_reporter::{
    Action, Attempt, Config, Event, LastSent, LossReason, ReportKind, Reporter, Seed, State,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
/// The period of the default configuration.
pub(crate) const PERIOD: Duration = Duration::from_secs(12 * 60 * 60);

/// A program with a reporter in it: it stores states, writes down events, and can jump through
/// time.
pub(crate) struct Host {
    pub(crate) reporter: Reporter,
    pub(crate) started: Instant,
    pub(crate) now: Instant,
    pub(crate) wall: SystemTime,
    /// The state that was stored last.
    pub(crate) disk: State,
    /// The usage report that left last, as it was kept.
    pub(crate) last_sent: Option<LastSent>,
    pub(crate) events: Vec<Event>,
    numbers: i64,
    starts: u64,
}

/// What is left for a test to decide.
#[derive(Debug)]
pub(crate) enum Step {
    Collect,
    Send(Box<Attempt>),
    Wait(Instant),
    Stopped,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::start(Config::new(), State::new(), 0)
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::start(config, State::new(), 0)
    }

    pub(crate) fn start(config: Config, state: State, seed: u64) -> Self {
        Self::start_at(config, state, seed, wall_of_day())
    }

    pub(crate) fn start_at(config: Config, state: State, seed: u64, wall: SystemTime) -> Self {
        let now = clock();
        let disk = state.clone();
        let reporter = Reporter::new(config, api(), state, seed_of(seed), now, wall).unwrap();
        Self {
            reporter,
            started: now,
            now,
            wall,
            disk,
            last_sent: None,
            events: Vec::new(),
            numbers: 0,
            starts: 0,
        }
    }

    /// Ends the process, stays off for `pause`, and starts another with what is on the disk.
    pub(crate) fn restart(self, pause: Duration) -> Self {
        let config = self.reporter.config().clone();
        // A seed that no other start of this host has.
        let starts = self.starts + 1;
        let host = Self::start_at(config, stored(&self.disk), 1 << 32 | starts, self.wall + pause);
        Self { starts, ..host }
    }

    /// Lets time pass without a call.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.wall += time;
    }

    /// The next thing to do that is not the host's own business.
    pub(crate) fn step(&mut self) -> Step {
        loop {
            match self.reporter.poll(self.now) {
                Action::Event(event) => self.events.push(event),
                Action::Persist(snapshot) => {
                    self.last_sent = snapshot.last_sent(self.wall).or(self.last_sent.take());
                    self.disk = stored(&snapshot.into_state(self.wall));
                }
                Action::Collect => return Step::Collect,
                Action::Send(attempt) => return Step::Send(Box::new(attempt)),
                Action::Wait(until) => return Step::Wait(until),
                Action::Stopped => return Step::Stopped,
            }
        }
    }

    /// Waits until there is something to do.
    pub(crate) fn next(&mut self) -> Step {
        for _ in 0..100_000 {
            match self.step() {
                Step::Wait(until) => self.pass(until - self.now),
                step => return step,
            }
        }
        panic!("nothing happens");
    }

    /// Waits until numbers are asked for; returns how long after the start that is.
    pub(crate) fn wait_for_collect(&mut self) -> Duration {
        match self.next() {
            Step::Collect => self.now - self.started,
            step => panic!("{step:?} instead of a question for numbers"),
        }
    }

    /// Waits for the next attempt, handing in numbers when they are asked for.
    pub(crate) fn wait_for_attempt(&mut self) -> Attempt {
        for _ in 0..1000 {
            match self.next() {
                Step::Send(attempt) => return *attempt,
                Step::Collect => self.submit(),
                step => panic!("{step:?} instead of an attempt"),
            }
        }
        panic!("numbers are asked for and never sent");
    }

    /// The same, when the API has a right to expect usage.
    pub(crate) fn wait_for_usage(&mut self) -> Attempt {
        let attempt = self.wait_for_attempt();
        assert_eq!(attempt.report, ReportKind::Usage);
        attempt
    }

    /// Numbers that are new each time.
    pub(crate) fn submit(&mut self) {
        self.numbers += 1;
        let usage = Usage::new("influxdb").data(UsageData::new().value("n", self.numbers));
        self.reporter.submit(self.now, &usage).unwrap();
    }

    pub(crate) fn push_stats(&mut self) {
        self.numbers += 1;
        let group = StatsData::new("engine").value("n", self.numbers);
        self.reporter.push_stats(self.now, &Stats::new("influxdb").data(group)).unwrap();
    }

    pub(crate) fn answer(&mut self, attempt: &Attempt, status: u16) {
        self.reporter.on_response(self.now, attempt.id, answer(status));
    }

    pub(crate) fn answer_with(&mut self, attempt: &Attempt, status: u16, retry_after: u64) {
        let mut response = answer(status);
        response.headers_mut().insert("retry-after", retry_after.into());
        self.reporter.on_response(self.now, attempt.id, response);
    }

    /// Delivers the next usage report.
    pub(crate) fn deliver(&mut self) -> Attempt {
        let attempt = self.wait_for_usage();
        self.answer(&attempt, 201);
        assert!(matches!(self.step(), Step::Wait(_) | Step::Send(_)));
        attempt
    }

    /// The losses so far, with the number of reports.
    pub(crate) fn losses(&self) -> Vec<(ReportKind, LossReason, u64)> {
        let loss = |event: &Event| match event {
            Event::Lost { report, reason, count, .. } => Some((*report, *reason, *count)),
            _ => None,
        };
        self.events.iter().filter_map(loss).collect()
    }

    /// The names of the events at INFO and above.
    pub(crate) fn loud(&self) -> Vec<&'static str> {
        let is_loud = |event: &&Event| event.level() > usage_reporter::Level::Debug;
        self.events.iter().filter(is_loud).map(Event::name).collect()
    }
}

pub(crate) fn answer(status: u16) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// What a captive portal says to any request.
pub(crate) fn page(status: u16) -> Response<Bytes> {
    let mut response = answer(status);
    response.headers_mut().insert("content-type", "text/html; charset=utf-8".parse().unwrap());
    *response.body_mut() = Bytes::from_static(b"<!DOCTYPE html><title>Welcome</title>");
    response
}

pub(crate) fn key(attempt: &Attempt) -> String {
    attempt.request.headers()[IDEMPOTENCY_KEY].to_str().unwrap().to_owned()
}

pub(crate) fn api() -> Api {
    Api::new(BaseUrl::STAGING)
}

pub(crate) fn api_with(token: &str) -> Api {
    api().with_token(Token::new(token).unwrap()).unwrap()
}

pub(crate) fn seed_of(number: u64) -> Seed {
    let mut seed = [0x5e; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Seed::from_bytes(seed)
}

/// A state as it comes back from the disk.
pub(crate) fn stored(state: &State) -> State {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

/// A state that was acknowledged at a time.
pub(crate) fn acknowledged(at: SystemTime) -> State {
    let since_1970 = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let text = format!(r#"{{"version":1,"acknowledged_unix_ns":{}}}"#, since_1970.as_nanos());
    serde_json::from_str(&text).unwrap()
}

/// Noon on some day.
pub(crate) fn wall_of_day() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

/// Where virtual time starts.
#[expect(clippy::disallowed_methods, reason = "an instant can be had in no other way")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}
