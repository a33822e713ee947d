//! Who has sent how much in the last minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::Rate;

/// In this time an empty bucket is full again.
const REFILL: f64 = 60.0;

/// A bucket that was not touched for this long is full, whatever it had owed, and so need not be kept.
const GENERATION: Duration = Duration::from_secs(120);

/// As many are kept of each generation.
const MOST: usize = 32 * 1024;

/// Parts this small come from rounding.
const ROUNDING: f64 = 1e-9;

/// A bucket for each sender, of those that matter.
///
/// There are two generations of them, and the older one is thrown away as a whole: after a time in
/// which each of its buckets has become full, or earlier where very many senders come at once. By
/// then they have sent more than any one of them could have.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    generations: Mutex<Generations<K>>,
}

#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, Bucket>,
    old: HashMap<K, Bucket>,
    begun: Instant,
}

/// What is left, as parts of all that there may be: so it means the same when a limit is changed.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    requests: f64,
    /// Below nothing if a body was larger than what was left.
    bytes: f64,
    at: Instant,
}

impl<K: Copy + Eq + Hash> Buckets<K> {
    pub(crate) fn new(now: Instant) -> Self {
        let (young, old) = Default::default();
        Self { generations: Mutex::new(Generations { young, old, begun: now }) }
    }

    /// Takes a request, or says how long there is none to take.
    pub(crate) fn take(&self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        let mut generations = self.generations();
        let bucket = generations.bucket(key, now);
        let cost = rate.requests.map_or(0.0, |most| 1.0 / f64::from(most));
        let missing_bytes = match rate.bytes {
            // Something has to be left.
            Some(_) if bucket.bytes <= 0.0 => ROUNDING - bucket.bytes,
            _ => 0.0,
        };
        let missing = (cost - bucket.requests).max(missing_bytes);
        if missing > ROUNDING / 2.0 {
            return Err(Duration::from_secs_f64(missing * REFILL));
        }
        bucket.requests -= cost;
        Ok(())
    }

    /// Counts bytes that have come.
    #[expect(clippy::cast_precision_loss, reason = "a limit is not that exact")]
    pub(crate) fn spend(&self, key: K, rate: Rate, bytes: u64, now: Instant) {
        let Some(most) = rate.bytes else { return };
        let mut generations = self.generations();
        let bucket = generations.bucket(key, now);
        // Nobody waits for longer than a minute.
        bucket.bytes = (bucket.bytes - bytes as f64 / most as f64).max(-1.0);
    }

    fn generations(&self) -> MutexGuard<'_, Generations<K>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Generations<K> {
    /// The bucket of a sender as it is now.
    fn bucket(&mut self, key: K, now: Instant) -> &mut Bucket {
        if self.young.len() >= MOST || now.saturating_duration_since(self.begun) >= GENERATION {
            self.old = mem::take(&mut self.young);
            self.begun = now;
        }
        let old = &mut self.old;
        let bucket = self
            .young
            .entry(key)
            .or_insert_with(|| old.remove(&key).unwrap_or_else(|| Bucket::full(now)));
        bucket.refill(now);
        bucket
    }
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self { requests: 1.0, bytes: 1.0, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let part = now.saturating_duration_since(self.at).as_secs_f64() / REFILL;
        self.requests = (self.requests + part).min(1.0);
        self.bytes = (self.bytes + part).min(1.0);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Buckets, GENERATION, MOST};
    use crate::limits::Rate;

    const REQUESTS: Rate = Rate { requests: Some(60), bytes: None };
    const BYTES: Rate = Rate { requests: None, bytes: Some(1000) };

    fn after(begun: Instant, seconds: f64) -> Instant {
        begun + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_minute_may_come_at_once_and_then_one_at_a_time() {
        let begun = Instant::now();
        let buckets = Buckets::new(begun);
        for number in 0..60 {
            assert_eq!(buckets.take(1, REQUESTS, begun), Ok(()), "{number}");
        }
        let wait = buckets.take(1, REQUESTS, begun).unwrap_err();
        assert!((0.99..1.01).contains(&wait.as_secs_f64()), "{wait:?}");
        // What is refused costs nothing, and others are others.
        assert_eq!(buckets.take(1, REQUESTS, begun).unwrap_err(), wait);
        assert_eq!(buckets.take(2, REQUESTS, begun), Ok(()));
        assert_eq!(buckets.take(1, REQUESTS, begun + wait), Ok(()));
        assert!(buckets.take(1, REQUESTS, begun + wait).is_err());
        // After a long time there is a minute's worth, and no more.
        let later = after(begun, 110.0);
        assert_eq!((0..100).filter(|_| buckets.take(1, REQUESTS, later).is_ok()).count(), 60);
    }

    #[test]
    fn a_body_that_is_too_large_is_paid_for_by_the_next_ones() {
        let begun = Instant::now();
        let buckets = Buckets::new(begun);
        for (bytes, wait) in [(999, None), (500, Some(30.0)), (1_000_000, Some(60.0))] {
            buckets.spend(1, BYTES, bytes, begun);
            let taken = buckets.take(1, BYTES, begun);
            assert_eq!(taken.is_err(), wait.is_some(), "{bytes}");
            if let (Err(taken), Some(wait)) = (taken, wait) {
                assert!((taken.as_secs_f64() - wait).abs() < 0.1, "{bytes}: {taken:?}");
                assert_eq!(buckets.take(1, BYTES, begun + taken * 2), Ok(()));
            }
        }
    }

    /// What would be forgotten is full by then.
    #[test]
    fn who_owes_something_is_remembered() {
        let begun = Instant::now();
        let buckets = Buckets::new(begun);
        let end = begun + Duration::from_millis(119_999);
        buckets.take(0, REQUESTS, begun).unwrap();
        buckets.spend(1, BYTES, 10_000, end);
        // The next generation begins.
        buckets.take(2, REQUESTS, begun + GENERATION).unwrap();
        assert!(buckets.take(1, BYTES, begun + GENERATION).is_err());
        let later = begun + 2 * GENERATION;
        buckets.take(2, REQUESTS, later).unwrap();
        let generations = buckets.generations();
        assert!(!generations.old.contains_key(&0) && !generations.young.contains_key(&0));
    }

    #[test]
    fn their_number_has_an_end() {
        let begun = Instant::now();
        let buckets = Buckets::new(begun);
        for key in 0..10 * MOST {
            buckets.take(key, REQUESTS, begun).unwrap();
        }
        let generations = buckets.generations();
        assert!(generations.young.len() <= MOST && generations.old.len() <= MOST);
    }

    #[test]
    fn a_limit_may_change() {
        let begun = Instant::now();
        let buckets = Buckets::new(begun);
        let half = |most| Rate { requests: Some(most), bytes: None };
        for _ in 0..30 {
            buckets.take(1, half(60), begun).unwrap();
        }
        assert_eq!((0..100).filter(|_| buckets.take(1, half(10), begun).is_ok()).count(), 5);
    }
}
