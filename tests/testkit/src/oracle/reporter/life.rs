//! One process, from its start to its end: the reporter, its twin, and the model of both.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use usage_proto::{Api, IdempotencyKey, Incomplete, Saveable, Server, TransportError};
use usage_reporter::{Action, AttemptId, Config, ReportKind, Reporter, Seed, State};

use super::case::Outcome;
use super::model::{Model, has_exact_stamp};
use super::place::Place;

/// Two reporters that are told the same.
pub(super) struct Life {
    reporter: Reporter,
    twin: Reporter,
    pub(super) model: Model,
    /// The attempts of this process, oldest first.
    pub(super) sent: Vec<AttemptId>,
    /// Each report that was sent, by its number.
    pub(super) reports: BTreeMap<u64, SentReport>,
    /// The attempts at usage, oldest first, and when.
    pub(super) left: Vec<(Instant, http::Request<Bytes>)>,
    /// The key of the run before, until a usage report is sent.
    pub(super) inherited: Option<Inherited>,
}

/// What went out first of a report.
pub(super) struct SentReport {
    pub(super) key: IdempotencyKey,
    pub(super) request: http::Request<Bytes>,
    pub(super) may_have_arrived: bool,
}

impl Life {
    pub(super) fn new(
        config: &Config,
        api: &Api,
        state: &State,
        seed: &Seed,
        now: Instant,
        wall_now: SystemTime,
    ) -> Self {
        let make = || {
            Reporter::new(config.clone(), api.clone(), state.clone(), seed.clone(), now, wall_now)
                .unwrap()
        };
        Self {
            reporter: make(),
            twin: make(),
            model: Model::new(config.clone(), Place::of_api(api), state, now, wall_now),
            sent: Vec::new(),
            reports: BTreeMap::new(),
            left: Vec::new(),
            inherited: Inherited::new(config, state, now, wall_now),
        }
    }

    /// Does the same to both; law 9 wants the same of both.
    pub(super) fn feed<R: Debug>(&mut self, input: impl Fn(&mut Reporter) -> R) -> R {
        let (result, twin) = (input(&mut self.reporter), input(&mut self.twin));
        assert_eq!(format!("{result:?}"), format!("{twin:?}"), "law 9");
        result
    }

    pub(super) fn poll(&mut self, now: Instant) -> Action {
        let (action, twin) = (self.reporter.poll(now), self.twin.poll(now));
        match (&action, &twin) {
            (Action::Wait(until), Action::Wait(other)) => assert_eq!(until, other, "law 9"),
            _ => assert_eq!(format!("{action:?}"), format!("{twin:?}"), "law 9"),
        }
        action
    }

    /// Tells both the outcome of an attempt.
    pub(super) fn tell(&mut self, now: Instant, id: AttemptId, outcome: Outcome) {
        self.feed(|reporter| match outcome {
            Outcome::Saved => reporter.on_response(now, id, saved()),
            Outcome::Page => reporter.on_response(now, id, page()),
            Outcome::Status(status) => reporter.on_response(now, id, answer(status, None)),
            Outcome::RetryAfter(status, wait) => {
                reporter.on_response(now, id, answer(status, Some(wait)));
            }
            Outcome::Interrupted => {
                reporter.on_failure(now, id, TransportError::interrupted("closed"));
            }
            Outcome::Timeout => reporter.on_failure(now, id, TransportError::timeout("late")),
            Outcome::NotConnected => {
                reporter.on_failure(now, id, TransportError::connect("refused"));
            }
            Outcome::Certificate => {
                reporter.on_failure(now, id, TransportError::certificate("untrusted"));
            }
            Outcome::Unanswered => {}
        });
    }

    /// Compares what the reporter says of itself with what was seen from outside.
    pub(super) fn check_status(&self) {
        let status = self.reporter.status();
        let seen = self.model.counts;
        assert_eq!(
            (status.accepted, status.delivered, status.lost),
            (seen.accepted, seen.delivered, seen.lost),
            "law 1"
        );
        assert_eq!(seen.accepted, seen.delivered + seen.lost + status.pending, "law 1");
        assert_eq!(status.in_outage, self.model.loud.open, "law 11: {status:?}");
        self.model.check_pending(status.pending, status.pending_bytes);
        let limits = self.model.config.pending;
        assert!(status.pending <= limits.items as u64 + 1, "law 6: {status:?}");
        assert!(status.pending_bytes <= limits.bytes, "law 6: {status:?}");
        assert!(!self.model.usage_is_pending() || status.pending > 0, "law 6: {status:?}");
    }

    /// The machine slept, and its clock stood still.
    pub(super) fn slept(&mut self, time: Duration) {
        let now = self.model.told;
        if self.model.slept(time)
            && let Some(inherited) = &mut self.inherited
        {
            let left = inherited.until.saturating_duration_since(now);
            inherited.until = now + left.saturating_sub(time);
        }
    }

    /// Looks at the key in a state that is stored.
    pub(super) fn saw_key(&mut self, now: Instant, key: IdempotencyKey) {
        if let Some(inherited) = &mut self.inherited {
            inherited.stored_in_time = now < inherited.until;
            inherited.may_have_been_taken |= inherited.stored_in_time;
        }
        let mut named = self.reports.iter().filter(|(_, report)| report.key == key);
        let named = named.next_back().map(|(number, _)| *number);
        let is_over = named.is_some_and(|number| self.model.is_over(number));
        assert!(!is_over, "law 7: the key of a report that is over is kept");
    }

    /// What the model has learnt about reports that nothing binds to where they went.
    pub(super) fn unbind(&mut self) {
        for number in self.model.unbound.drain(..) {
            if let Some(report) = self.reports.get_mut(&number) {
                report.may_have_arrived = false;
            }
        }
    }

    pub(super) fn pending(&self) -> u64 {
        self.reporter.status().pending
    }
}

/// What a start finds.
pub(super) struct Inherited {
    pub(super) key: IdempotencyKey,
    /// Whether it may be sent at all; unknown if the wall clock is beyond all stamps.
    pub(super) is_right: Option<bool>,
    /// The slot of the report that it names is over by then.
    until: Instant,
    /// The state that was stored last was stored before that.
    pub(super) stored_in_time: bool,
    /// One of this process was: a report may have had the key then.
    pub(super) may_have_been_taken: bool,
}

impl Inherited {
    fn new(config: &Config, state: &State, now: Instant, wall: SystemTime) -> Option<Self> {
        let key = state.unacknowledged_key()?;
        let until = later(now, Self::left(config, state, wall));
        let is_right = has_exact_stamp(wall).then(|| Self::is_right(config, state, wall));
        let may_have_been_taken = is_right.is_none();
        Some(Self { key, is_right, until, stored_in_time: false, may_have_been_taken })
    }

    /// Whether a state has a key that a start may use, where stamps are exact.
    pub(super) fn is_right(config: &Config, state: &State, wall: SystemTime) -> bool {
        let ago = state.acknowledged().map(|then| wall.duration_since(then));
        let waits = matches!(ago, Some(Ok(ago)) if ago < config.period);
        let left = Self::left(config, state, wall);
        state.unacknowledged_key().is_some() && !waits && !left.is_zero()
    }

    /// Until the slot of the report is over.
    fn left(config: &Config, state: &State, wall: SystemTime) -> Duration {
        let left = state.next_due().map(|due| due.duration_since(wall).unwrap_or_default());
        let longest = config.period.saturating_add(config.jitter);
        left.map_or(longest, |left| left.min(longest))
    }
}

fn saved() -> http::Response<Bytes> {
    let mut response = answer(201, None);
    response.extensions_mut().insert(Incomplete);
    response
}

fn page() -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::from_static(b"<html>Welcome!"));
    response.headers_mut().insert("content-type", "text/html".parse().unwrap());
    response
}

fn answer(status: u16, retry_after: Option<u64>) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

/// `time + wait`, as far as a reporter looks ahead.
pub(super) fn later(time: Instant, wait: Duration) -> Instant {
    let century = Duration::from_secs(100 * 365 * 86_400);
    time + wait.min(century)
}

/// What a report says here: its kind in the path, its number in the body.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Payload {
    pub(super) number: u64,
    pub(super) pad: String,
    #[serde(skip)]
    pub(super) kind: ReportKind,
}

impl Saveable for Payload {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        [self.kind.as_str()]
    }
}

/// A server that says its number.
pub(super) fn server(number: u64) -> Server {
    Server::new().host(number.to_string())
}

/// What a report takes of the bytes that may wait.
pub(super) fn size_of(payload: &impl Saveable) -> usize {
    let segments = payload.segments().into_iter();
    let path: usize = segments.map(|segment| segment.as_ref().len()).sum();
    serde_json::to_vec(payload).unwrap().len() + path
}

/// The number of the report that a request carries.
pub(super) fn number_of(request: &http::Request<Bytes>) -> u64 {
    let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
    // A server has its number in the one field that a host chooses freely.
    body["number"].as_u64().or_else(|| body["host"].as_str()?.parse().ok()).unwrap()
}
