//! A machine that was suspended.

use std::time::{Duration, Instant, SystemTime};

/// The longest wait of a driver: on a machine that has slept, what is due is found out within it.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// What the wall clock is ahead by this is a sleep. Less is a clock that is being adjusted.
const WORTH_TELLING: Duration = Duration::from_secs(60);

/// Compares the wall clock with the one that a driver waits by, which stands still in a suspended
/// machine on Linux and macOS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    driver: Instant,
    wall: SystemTime,
}

impl Clocks {
    pub(super) fn new(driver: Instant, wall: SystemTime) -> Self {
        Self { driver, wall }
    }

    /// By how much the wall clock has run ahead since the last time that this said so, if that is
    /// worth telling. Short sleeps add up. A wall clock that was set back says nothing, and what is
    /// ahead of it counts from there.
    pub(super) fn slept(&mut self, driver: Instant, wall: SystemTime) -> Option<Duration> {
        let passed = driver.saturating_duration_since(self.driver);
        let on_the_wall = wall.duration_since(self.wall).ok();
        let ahead = on_the_wall.and_then(|time| time.checked_sub(passed));
        let told = ahead.filter(|ahead| *ahead > WORTH_TELLING);
        if told.is_some() || ahead.is_none() {
            *self = Self::new(driver, wall);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "an instant can be had in no other way")]
    fn clocks() -> (Clocks, Instant, SystemTime) {
        let (driver, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
        (Clocks::new(driver, wall), driver, wall)
    }

    #[test]
    fn a_wall_clock_that_ran_ahead_is_a_sleep_and_is_told_once() {
        for ahead in [61, 3600, 3 * 86_400, 56 * 365 * 86_400] {
            let (mut clocks, driver, wall) = clocks();
            let (driver, wall) = (driver + 300 * SECOND, wall + (300 + ahead) * SECOND);
            assert_eq!(clocks.slept(driver, wall), Some(ahead * SECOND));
            assert_eq!(clocks.slept(driver, wall), None);
            assert_eq!(clocks.slept(driver + 300 * SECOND, wall + 300 * SECOND), None);
        }
    }

    #[test]
    fn short_sleeps_add_up() {
        let (mut clocks, mut driver, mut wall) = clocks();
        let told: Duration = (0..100)
            .filter_map(|_| {
                driver += 300 * SECOND;
                wall += 350 * SECOND;
                clocks.slept(driver, wall)
            })
            .sum();
        assert_eq!(told, 100 * 50 * SECOND);
    }

    #[test]
    fn a_wall_clock_that_is_slow_or_was_set_back_says_nothing() {
        let (mut clocks, mut driver, mut wall) = clocks();
        for step in [299, 0, 300, 1, 290] {
            driver += 300 * SECOND;
            wall += step * SECOND;
            assert_eq!(clocks.slept(driver, wall), None);
        }
        for back in [1, 3600, 500_000] {
            driver += SECOND;
            wall -= back * SECOND;
            assert_eq!(clocks.slept(driver, wall), None);
        }
        // What comes after is told all the same.
        assert_eq!(clocks.slept(driver, wall + 3600 * SECOND), Some(3600 * SECOND));
    }
}
