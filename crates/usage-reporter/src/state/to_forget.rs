//! Identities that are to be forgotten, until they are.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::stamp::{Stamp, nanos, since_1970};

/// How many are kept; the oldest gives way. Each is one opting out, while the API was out of reach.
const MOST: usize = 16;

/// How often an identity is tried, at starts of the program, before somebody has to ask again.
const ATTEMPTS: u32 = 10;

/// The pause after the first attempt, which doubles with each.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// The longest pause, and the longest that an API may ask for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// An identity that was given up, and that an API is to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToForget {
    /// Empty if nobody has named it.
    #[serde(default)]
    pub(crate) cluster_id: String,
    pub(crate) server_id: String,
    #[serde(default)]
    attempts: u32,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_unix_ns: Option<Stamp>,
    /// The API cannot forget, or will not: nothing more is sent unless somebody asks again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    given_up: bool,
}

impl ToForget {
    pub(crate) fn new(cluster_id: String, server_id: String) -> Self {
        Self { cluster_id, server_id, attempts: 0, next_unix_ns: None, given_up: false }
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { cluster_id: self.cluster_id.clone(), server_id: self.server_id.clone() }
    }

    /// Whether it is tried again by itself, now or later.
    pub(crate) fn is_pending(&self) -> bool {
        !self.given_up && self.attempts < ATTEMPTS
    }

    pub(crate) fn is_due(&self, wall_now: SystemTime) -> bool {
        let left = self.next_unix_ns.and_then(|next| next.after(Stamp::new(wall_now)));
        // No pause is longer: the clock was set back.
        self.is_pending() && left.is_none_or(|left| left.is_zero() || left > LONGEST)
    }

    /// Somebody asks for it, now.
    pub(crate) fn ask(&mut self) {
        (self.attempts, self.next_unix_ns, self.given_up) = (0, None, false);
    }

    /// An attempt begins. It counts whatever becomes of it: a program that crashes at each start does
    /// not send for ever.
    pub(crate) fn begin(&mut self, wall_now: SystemTime) {
        let doubled = PAUSE.saturating_mul(1 << self.attempts.min(ATTEMPTS));
        self.attempts = self.attempts.saturating_add(1);
        self.pause(wall_now, doubled);
    }

    /// It did not work, and may later. Tells whether it will be tried again.
    pub(crate) fn failed(&mut self, wall_now: SystemTime, retry_after: Option<Duration>) -> bool {
        if let Some(wait) = retry_after {
            let next = self.next_unix_ns;
            self.pause(wall_now, wait);
            self.next_unix_ns = self.next_unix_ns.max(next);
        }
        self.given_up = self.attempts >= ATTEMPTS;
        !self.given_up
    }

    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }

    fn pause(&mut self, wall_now: SystemTime, pause: Duration) {
        let next = since_1970(wall_now) + nanos(pause.min(LONGEST));
        self.next_unix_ns = Some(Stamp::clamped(next));
    }
}

/// Adds one, unless it is there.
pub(crate) fn add(list: &mut Vec<ToForget>, cluster_id: String, server_id: String) {
    let new = ToForget::new(cluster_id, server_id);
    list.retain(|old| old.identity() != new.identity());
    if list.len() >= MOST {
        list.remove(0);
    }
    list.push(new);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{ATTEMPTS, LONGEST, MOST, PAUSE, ToForget, add};

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn one() -> ToForget {
        ToForget::new("c".to_owned(), "s".to_owned())
    }

    #[test]
    fn pauses_double_and_attempts_have_an_end() {
        let (mut one, mut now, mut attempts) = (one(), START, 0);
        let mut pauses = Vec::new();
        while one.is_pending() {
            assert!(one.is_due(now));
            one.begin(now);
            assert!(!one.is_due(now), "not at once");
            attempts += 1;
            let mut pause = Duration::ZERO;
            if one.failed(now, None) {
                while !one.is_due(now + pause) {
                    pause += Duration::from_secs(60);
                }
            }
            pauses.push(pause / 3600);
            now += pause;
        }
        assert_eq!(attempts, ATTEMPTS);
        let hours: Vec<_> = pauses.iter().map(Duration::as_secs).collect();
        assert_eq!(hours, [1, 2, 4, 8, 16, 24, 24, 24, 24, 0]);
        one.ask();
        assert!(one.is_due(now), "somebody asks again");
    }

    #[test]
    fn what_the_api_asks_for_is_a_floor() {
        let mut waits = one();
        waits.begin(START);
        waits.failed(START, Some(Duration::from_secs(60)));
        assert!(!waits.is_due(START + PAUSE / 2) && waits.is_due(START + PAUSE));
        waits.failed(START, Some(10 * PAUSE));
        assert!(!waits.is_due(START + 9 * PAUSE) && waits.is_due(START + 10 * PAUSE));
        waits.failed(START, Some(100 * LONGEST));
        assert!(waits.is_due(START + LONGEST));
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let mut one = one();
        one.begin(START + 1000 * LONGEST);
        assert!(one.is_due(START));
    }

    #[test]
    fn each_is_kept_once_and_not_without_end() {
        let mut list = Vec::new();
        for number in 0..MOST + 3 {
            add(&mut list, "c".to_owned(), number.to_string());
            add(&mut list, "c".to_owned(), number.to_string());
        }
        let kept: Vec<_> = list.iter().map(|one| one.server_id.as_str()).collect();
        assert_eq!((kept.len(), kept[0], kept[MOST - 1]), (MOST, "3", "18"));
    }
}
