//! Arithmetic on instants that never panics.

use std::time::{Duration, Instant};

/// As good as never: a hundred years. No wait is longer, whatever a configuration says.
const FAR_FUTURE: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// `wait` after `now`, at most a hundred years.
///
/// `now + wait` panics where the platform cannot say the sum. A machine whose clock is that close
/// to its end gets the latest instant that halving finds.
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    let mut wait = wait.min(FAR_FUTURE);
    loop {
        if let Some(then) = now.checked_add(wait) {
            return then;
        }
        wait /= 2;
    }
}

/// A hundred years after `now`.
pub(crate) fn far_future(now: Instant) -> Instant {
    after(now, FAR_FUTURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any instant will do; the crate has no clock.
    #[expect(clippy::disallowed_methods, reason = "a test has a clock")]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn the_longest_wait_is_a_hundred_years() {
        let now = now();
        assert_eq!(after(now, Duration::MAX), now + FAR_FUTURE);
        assert_eq!(after(now, Duration::from_secs(1)), now + Duration::from_secs(1));
    }

    #[test]
    fn the_end_of_the_clock_is_no_panic() {
        // Goes as close to the end as the platform allows.
        let mut last = now();
        let mut step = Duration::MAX;
        while step > Duration::ZERO {
            match last.checked_add(step) {
                Some(later) => last = later,
                None => step /= 2,
            }
        }
        assert_eq!(after(last, Duration::from_secs(1)), last);
        let nearly = last.checked_sub(Duration::from_secs(8)).unwrap();
        assert!(far_future(nearly) > nearly);
    }
}
