//! When the registration that is pending goes out.

use std::time::Instant;

use super::case::Outcome;

#[derive(Debug, Default)]
pub(super) struct Registration {
    /// The last one that was taken, until it is delivered or lost.
    newest: Option<u64>,
    /// It goes out by then, unless the gate is closed.
    pub(super) by: Option<Instant>,
    pub(super) waiting: Option<Waiting>,
    /// The newest has failed, and goes out again.
    pub(super) is_tried: bool,
    /// How many the API has refused for good.
    pub(super) refused: u64,
}

/// The next slot is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    number: u64,
    /// The token was refused: nothing binds the registration to it.
    free: bool,
}

/// Where an attempt went, seen from where reports go by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    Here,
    HereWithAnotherToken,
    Elsewhere,
}

impl Registration {
    /// Whether an attempt that failed was the last, for now or for ever.
    pub(super) fn is_given_up(&self, number: u64, is_draining: bool) -> bool {
        self.newest != Some(number) || (self.waiting.is_some() && !is_draining)
    }

    pub(super) fn accepted(&mut self, number: u64, by: Instant) {
        self.newest = Some(number);
        self.is_tried = false;
        self.waiting = None;
        self.due(by);
    }

    /// What becomes of an attempt; returns whether the report is free to go anywhere by now.
    pub(super) fn outcome(
        &mut self,
        number: u64,
        outcome: Outcome,
        went: Went,
        is_last: bool,
        now: Instant,
    ) -> bool {
        let is_newest = self.newest == Some(number);
        self.is_tried |= is_newest;
        match outcome {
            Outcome::Saved => self.over(number),
            outcome if outcome.is_final() && outcome != Outcome::Status(401) => {
                self.refused += 1;
                self.over(number);
            }
            // Superseded.
            _ if !is_newest => {}
            Outcome::Status(401) if went == Went::Here => {
                self.waiting = Some(Waiting { number, free: true });
            }
            _ if is_last && went != Went::Elsewhere && outcome != Outcome::Status(401) => {
                self.waiting = Some(Waiting { number, free: false });
            }
            _ => {
                self.due(now);
                return is_last && went == Went::Elsewhere;
            }
        }
        false
    }

    pub(super) fn slot(&mut self, now: Instant) {
        if self.waiting.take().is_some() {
            self.due(now);
        }
    }

    /// The host has set another address or token; returns the report that is free to go there.
    pub(super) fn changed(&mut self, moved: bool, now: Instant) -> Option<u64> {
        let waiting = self.waiting.take_if(|waiting| moved || waiting.free)?;
        self.due(now);
        Some(waiting.number)
    }

    /// The end is near: one that was never tried goes out at once.
    pub(super) fn hurry(&mut self, now: Instant) {
        if !self.is_tried {
            self.by = self.by.map(|by| by.min(now));
        }
    }

    /// The last one that was taken, if it is neither over nor in flight.
    pub(super) fn pending(&self, in_flight: Option<u64>) -> Option<u64> {
        self.newest.filter(|newest| Some(*newest) != in_flight)
    }

    /// The one that was pending is lost; one that is in flight is the last by that.
    pub(super) fn dropped(&mut self, in_flight: Option<u64>) {
        self.newest = in_flight;
        self.is_tried = false;
        self.waiting = None;
    }

    fn due(&mut self, by: Instant) {
        self.by = Some(self.by.map_or(by, |other| other.max(by)));
    }

    fn over(&mut self, number: u64) {
        self.newest = self.newest.filter(|newest| *newest != number);
    }
}
