//! No more than so many calls at once: each of them has a connection.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many calls one client makes at once. ureq bounds its idle connections alone.
pub(crate) const AT_ONCE: usize = 64;

#[derive(Default)]
pub(crate) struct Gate {
    count: Mutex<Count>,
    ended: Condvar,
}

#[derive(Default)]
struct Count {
    calls: usize,
    /// How many wait for one to end: the system is not asked to wake nobody.
    waiting: usize,
}

/// The right to make a call, until it is dropped.
pub(crate) struct Place<'g>(&'g Gate);

impl Gate {
    /// A place, and what is left of the time: all of it, if one was free. `None` if there is no
    /// time left.
    pub(crate) fn enter(&self, mut left: Duration) -> Option<(Place<'_>, Duration)> {
        let mut count = self.count();
        while count.calls >= AT_ONCE && !left.is_zero() {
            let since = Instant::now();
            count.waiting += 1;
            (count, _) =
                self.ended.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner);
            count.waiting -= 1;
            left = left.saturating_sub(since.elapsed());
        }
        if left.is_zero() {
            // A call may have ended just now, for one that waits longer.
            self.wake_one(count);
            return None;
        }
        count.calls += 1;
        Some((Place(self), left))
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_one(&self, count: MutexGuard<'_, Count>) {
        let is_awaited = count.waiting > 0;
        // Who is woken takes the lock.
        drop(count);
        if is_awaited {
            self.ended.notify_one();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut count = self.0.count();
        count.calls -= 1;
        self.0.wake_one(count);
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
            // Each of those that wait has one of the places that are given back one after the other.
            let waiting = [(); 3].map(|()| {
                scope.spawn(|| gate.enter(AGES).map(|(place, _)| std::mem::forget(place)))
            });
            while gate.count().waiting < waiting.len() {
                thread::yield_now();
            }
            drop(places);
            for waiting in waiting {
                assert!(waiting.join().unwrap().is_some());
            }
        });
        gate.count().calls -= 3;
        assert_eq!(gate.count().calls, 0);
    }

    #[test]
    fn w41_without_time_there_is_no_place() {
        assert!(Gate::default().enter(Duration::ZERO).is_none());
    }
}
