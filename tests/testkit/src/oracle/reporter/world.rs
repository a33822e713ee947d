//! Everything around the process: clocks, disk, API. It outlives restarts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use usage_reporter::{Action, AttemptId, ReportKind, Seed, State, SubmitError};

use super::case::{Outcome, Start};
use super::life::{Life, Payload, SentReport, later, server, size_of};
use super::place::{Place, api};
use super::wall::Wall;

/// More steps than a reporter can have to do at one instant.
const BURST: usize = 500;

pub(crate) struct World {
    start: Start,
    now: Instant,
    pub(super) wall: Wall,
    pub(super) disk: String,
    pub(super) life: Life,
    /// Which API reports go to.
    choice: u8,
    /// The attempts of processes that have ended, oldest first.
    past: Vec<AttemptId>,
    starts: u8,
    numbers: u64,
    /// Which report each key was first seen on.
    pub(super) keys: BTreeMap<String, u64>,
    /// What the API has stored, by key and by report.
    rows: BTreeMap<String, u64>,
    stored: BTreeMap<u64, String>,
    crash_armed: bool,
}

/// What a round of `poll` came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    Until(Instant),
    Stopped,
}

impl World {
    pub(super) fn new(start: Start) -> Self {
        let wall = Wall::new();
        let disk = wall.first_state(start);
        let now = clock();
        let state = serde_json::from_str(&disk).unwrap();
        let seed = Seed::from_bytes([start.seed; 32]);
        let life = Life::new(&start.config(), &api(0), &state, &seed, now, wall.time);
        Self {
            start,
            now,
            wall,
            disk,
            life,
            choice: 0,
            past: Vec::new(),
            starts: 0,
            numbers: 0,
            keys: BTreeMap::new(),
            rows: BTreeMap::new(),
            stored: BTreeMap::new(),
            crash_armed: false,
        }
    }

    // Time.

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.wall.pass(time);
    }

    pub(super) fn pass_sixteenths(&mut self, sixteenths: u32) {
        let year = Duration::from_secs(365 * 86_400);
        self.pass(self.start.config().period.min(year) / 16 * sixteenths);
    }

    pub(super) fn machine_sleeps(&mut self, time: Duration) {
        self.wall.pass(time);
        let now = self.now;
        self.life.feed(|reporter| reporter.slept(now, time));
        self.life.model.tell(now);
        self.life.slept(time);
    }

    pub(super) fn jump_wall(&mut self, hours: i64) {
        self.wall.jump(hours);
    }

    // The loop.

    pub(super) fn poll(&mut self) -> Option<Pause> {
        self.poll_at(self.now)
    }

    pub(super) fn poll_late(&mut self, seconds: u64) {
        let late = self.now.checked_sub(Duration::from_secs(seconds)).unwrap_or(self.now);
        self.poll_at(late);
    }

    fn poll_at(&mut self, now: Instant) -> Option<Pause> {
        let action = self.life.poll(now);
        let now = self.life.model.before_poll(now);
        self.life.unbind();
        match action {
            Action::Collect => self.life.model.saw_collect(now),
            Action::Send(attempt) => self.saw_send(now, attempt),
            Action::Persist(_) if self.crash_armed => {
                self.crash_armed = false;
                self.restart(Duration::from_secs(1));
            }
            Action::Persist(snapshot) => {
                let sent = snapshot.last_sent(self.wall.time);
                let state = snapshot.into_state(self.wall.time);
                self.saw_last_sent(now, sent.as_ref());
                self.life.model.saw_persist(now, &state, self.wall.time);
                if let Some(key) = state.unacknowledged_key() {
                    self.life.saw_key(now, key);
                }
                self.disk = serde_json::to_string(&state).unwrap();
            }
            Action::Event(event) => self.life.model.saw_event(now, &event),
            Action::Wait(until) => {
                self.life.model.saw_wait(now, until, self.life.pending());
                self.life.check_status();
                return Some(Pause::Until(until));
            }
            Action::Stopped => {
                self.life.model.saw_stopped(now);
                self.life.check_status();
                let years = self.life.model.tell(later(now, Duration::MAX));
                let again = self.life.poll(years);
                assert!(matches!(again, Action::Stopped), "law 8: after the end: {again:?}");
                return Some(Pause::Stopped);
            }
        }
        None
    }

    pub(super) fn drive(&mut self) -> Pause {
        (0..BURST).find_map(|_| self.poll()).expect("law 2: poll does not come to rest")
    }

    pub(super) fn sleep(&mut self) -> Pause {
        let pause = self.drive();
        self.wait(pause);
        pause
    }

    fn wait(&mut self, pause: Pause) {
        if let Pause::Until(until) = pause {
            self.pass(until.saturating_duration_since(self.now));
        }
    }

    pub(super) fn serve(&mut self, outcome: Outcome, wakes: u8) {
        for _ in 0..wakes {
            if self.serve_once(outcome) == Pause::Stopped {
                return;
            }
        }
    }

    /// Does the host's part until there is nothing to do, then waits.
    fn serve_once(&mut self, outcome: Outcome) -> Pause {
        for _ in 0..BURST {
            let pause = self.poll();
            if self.life.model.is_collecting() {
                self.submit(1);
            }
            if self.life.model.awaited().is_some() && outcome != Outcome::Unanswered {
                self.answer(outcome);
            } else if let Some(pause) = pause {
                self.wait(pause);
                return pause;
            }
        }
        panic!("law 2: poll does not come to rest");
    }

    // The ends.

    pub(super) fn recover(&mut self) {
        // There may be a slot every 10 seconds, and a pause of hours.
        for _ in 0..10 * BURST {
            if self.serve_once(Outcome::Saved) == Pause::Stopped {
                return;
            }
            if self.life.pending() == 0 {
                assert!(!self.life.model.usage_is_pending(), "law 6: the newest usage is gone");
                return;
            }
        }
        panic!("law 2: what is pending does not get through");
    }

    pub(super) fn fall_silent(&mut self) {
        let mut questions = 0;
        for _ in 0..10 * BURST {
            let was_collecting = self.life.model.is_collecting();
            let pause = self.poll();
            questions += usize::from(!was_collecting && self.life.model.is_collecting());
            match pause {
                Some(Pause::Stopped) => return,
                _ if questions == 3 => return,
                Some(pause) => self.wait(pause),
                None => {}
            }
        }
        panic!("law 10: the schedule stands still");
    }

    pub(super) fn shut_down(&mut self, seconds: u64) {
        self.crash_armed = false;
        self.close(seconds);
        for _ in 0..BURST {
            let pause = self.drive();
            if pause == Pause::Stopped {
                return;
            }
            self.wait(pause);
        }
        panic!("law 8: the end is not reached");
    }

    // Inputs.

    pub(super) fn push_stats(&mut self, size: usize) {
        self.take_in(ReportKind::Stats, size);
    }

    pub(super) fn submit(&mut self, size: usize) {
        self.take_in(ReportKind::Usage, size);
    }

    pub(super) fn register(&mut self) {
        self.numbers += 1;
        let server = server(self.numbers);
        let now = self.now;
        let result = self.life.feed(|reporter| reporter.register(now, &server));
        self.taken_in(&result, ReportKind::Server, size_of(&server));
    }

    fn take_in(&mut self, kind: ReportKind, size: usize) {
        self.numbers += 1;
        let payload = Payload { number: self.numbers, pad: "x".repeat(size), kind };
        let now = self.now;
        let result = self.life.feed(|reporter| match kind {
            ReportKind::Usage => reporter.submit(now, &payload),
            _ => reporter.push_stats(now, &payload),
        });
        self.taken_in(&result, kind, size_of(&payload));
    }

    fn taken_in(&mut self, result: &Result<(), SubmitError>, kind: ReportKind, size: usize) {
        let now = self.life.model.tell(self.now);
        match result {
            Ok(()) => self.life.model.accepted(now, (self.numbers, kind, size)),
            Err(SubmitError::Closed) => {
                let model = &self.life.model;
                let is_open =
                    model.deadline.is_none() || kind == ReportKind::Usage && model.takes_usage();
                assert!(!is_open || model.is_hopeless(), "law 8: {kind} is not taken");
            }
            // What stays unanswered would only wait for its time-out.
            Err(_) if kind == ReportKind::Usage => self.fail_to_collect(),
            Err(_) => {}
        }
    }

    pub(super) fn fail_to_collect(&mut self) {
        let now = self.now;
        self.life.feed(|reporter| reporter.collect_failed(now, "no numbers"));
        self.life.model.tell(now);
        self.life.model.collect_failed();
    }

    pub(super) fn report_now(&mut self) {
        let now = self.now;
        self.life.feed(|reporter| reporter.report_now(now));
        self.life.model.tell(now);
        self.life.model.asked();
    }

    pub(super) fn set_api(&mut self, choice: u8) {
        let before = Place::of_api(&api(self.choice));
        let is_bound = |report: &SentReport| {
            report.may_have_arrived && Place::of_request(&report.request).is_at(&before)
        };
        let reports = self.life.reports.iter();
        let bound = reports.filter(|(_, report)| is_bound(report)).map(|(number, _)| *number);
        self.life.model.changed(Place::of_api(&api(choice)), bound);
        self.life.unbind();
        self.choice = choice;
        self.life.feed(|reporter| reporter.set_api(api(choice)));
    }

    pub(super) fn close(&mut self, seconds: u64) {
        let deadline = self.now + Duration::from_secs(seconds);
        self.life.feed(|reporter| reporter.close(deadline));
        self.life.model.closed(deadline);
    }

    pub(super) fn answer(&mut self, outcome: Outcome) {
        let Some(flight) = self.life.model.awaited() else { return };
        if let Some(report) = self.life.reports.get_mut(&flight.number) {
            report.may_have_arrived |= outcome.may_have_arrived();
            if outcome.stores() {
                let key = report.key.to_string();
                // The API knows a key again, and keeps the first report with it.
                if let std::collections::btree_map::Entry::Vacant(row) =
                    self.rows.entry(key.clone())
                {
                    row.insert(flight.number);
                    let other = self.stored.insert(flight.number, key);
                    assert!(other.is_none(), "law 7: a report is stored twice");
                }
            }
        }
        if outcome == Outcome::Unanswered {
            return self.life.model.silence();
        }
        self.life.tell(self.now, flight.id, outcome);
        let now = self.life.model.tell(self.now);
        self.life.model.outcome(now, outcome);
        self.life.unbind();
    }

    pub(super) fn answer_stale(&mut self, back: u64) {
        let current = self.life.model.flight.as_ref().map(|flight| flight.id);
        let own = self.life.sent.iter().rev().filter(|id| Some(**id) != current);
        // What one process asked for is nothing to the next.
        let stale = own.chain(self.past.iter().rev());
        let Some(id) = stale.copied().nth(usize::try_from(back).unwrap()) else { return };
        self.life.tell(self.now, id, Outcome::Saved);
        self.life.model.tell(self.now);
    }

    // The process.

    pub(super) fn restart(&mut self, pause: Duration) {
        self.pass(pause);
        self.starts = self.starts.wrapping_add(1);
        let mut seed = [self.start.seed; 32];
        seed[0] = self.starts;
        seed[1] = !self.start.seed;
        let seed = Seed::from_bytes(seed);
        let state: State = serde_json::from_str(&self.disk).unwrap();
        self.past.append(&mut self.life.sent);
        self.life =
            Life::new(&self.start.config(), &api(0), &state, &seed, self.now, self.wall.time);
        self.choice = 0;
        self.crash_armed = false;
    }

    pub(super) fn crash_before_storing(&mut self) {
        self.crash_armed = true;
    }
}

/// Where all time starts. It is not read again.
#[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way")]
fn clock() -> Instant {
    Instant::now()
}
