//! No more than so many calls at once: each of them has a connection.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many calls one client makes at once. ureq bounds its idle connections alone.
pub(crate) const AT_ONCE: usize = 64;

#[derive(Default)]
pub(crate) struct Gate {
    calls: Mutex<usize>,
    ended: Condvar,
}

/// The right to make a call, until it is dropped.
pub(crate) struct Place<'g>(&'g Gate);

impl Gate {
    /// A place, and what is left of the time: all of it, if one was free. `None` if there is no
    /// time left.
    pub(crate) fn enter(&self, mut left: Duration) -> Option<(Place<'_>, Duration)> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        while *calls >= AT_ONCE && !left.is_zero() {
            let since = Instant::now();
            (calls, _) =
                self.ended.wait_timeout(calls, left).unwrap_or_else(PoisonError::into_inner);
            left = left.saturating_sub(since.elapsed());
        }
        if left.is_zero() {
            // A call may have ended just now, for one that waits longer.
            self.ended.notify_one();
            return None;
        }
        *calls += 1;
        Some((Place(self), left))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.calls.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::{AT_ONCE, Gate};

    const AGES: Duration = Duration::from_secs(3600);

    #[test]
    fn w42_there_are_so_many_places_and_no_more() {
        let gate = Gate::default();
        let places: Vec<_> = (0..AT_ONCE).map(|_| gate.enter(AGES).unwrap()).collect();
        assert!(places.iter().all(|(_, left)| *left == AGES));
        assert!(gate.enter(Duration::from_millis(1)).is_none());

        thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter(AGES).map(|(_place, left)| left));
            drop(places);
            assert!(waiting.join().unwrap().unwrap() <= AGES);
        });
        assert_eq!(*gate.calls.lock().unwrap(), 0);
    }

    #[test]
    fn w41_without_time_there_is_no_place() {
        assert!(Gate::default().enter(Duration::ZERO).is_none());
    }
}
