//! The slot that was drawn: it outlives the process.

use std::time::Duration;

use usage_reporter::{Config, State};

use crate::support::{HOUR, Host, MINUTE, PERIOD, SECOND, Step, acknowledged, stored, wall_of_day};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long before the slot in its state a host that was just started asks for numbers.
fn slot(host: &Host) -> Duration {
    host.disk.next_due().unwrap().duration_since(host.wall).unwrap_or_default()
}

#[test]
fn a_slot_that_was_drawn_is_kept_over_restarts() {
    for seed in 0..20 {
        let mut host = Host::start(Config::new(), State::new(), seed);
        assert!(matches!(host.step(), Step::Wait(_)));
        let slot = host.disk.next_due().unwrap();
        for _ in 0..3 {
            if host.wall + 2 * HOUR >= slot {
                break;
            }
            host.pass(HOUR);
            host = host.restart(HOUR);
            assert!(matches!(host.step(), Step::Wait(_)));
            assert_eq!(host.disk.next_due(), Some(slot));
        }
        host.wait_for_collect();
        assert_eq!(host.wall, slot);
    }
    // The one after an acknowledgement as well, with its jitter.
    let mut host = Host::new();
    host.deliver();
    let slot = host.disk.next_due().unwrap();
    for _ in 0..5 {
        host = host.restart(HOUR);
    }
    host.wait_for_collect();
    assert_eq!(host.wall, slot);
}

#[test]
fn the_slot_of_numbers_that_did_not_come_is_over() {
    for is_told in [true, false] {
        let mut host = Host::new();
        host.wait_for_collect();
        if is_told {
            host.reporter.collect_failed(host.now, "no numbers");
        } else {
            host.pass(MINUTE);
        }
        host.step();
        assert!(slot(&host) >= PERIOD - MINUTE);
        let next = slot(&host);
        let mut host = host.restart(Duration::ZERO);
        assert_eq!(host.wait_for_collect(), next);
    }
}

#[test]
fn a_slot_that_was_missed_is_spread_over_as_long_as_it_is_late() {
    for late in [SECOND, MINUTE, 9 * MINUTE, HOUR, YEAR] {
        let longest = late.min(10 * MINUTE);
        let mut waits = Vec::new();
        for seed in 0..200 {
            let mut host = Host::start(Config::new(), State::new(), seed);
            host.step();
            let wall = host.disk.next_due().unwrap() + late;
            let mut host = Host::start_at(Config::new(), stored(&host.disk), seed, wall);
            waits.push(host.wait_for_collect());
        }
        assert!(waits.iter().all(|wait| *wait < longest), "{late:?}");
        let early = waits.iter().filter(|wait| **wait < longest / 2).count();
        assert!((70..130).contains(&early), "{early} of 200 after {late:?}");
    }
}

/// It is killed each time, and never closed.
#[test]
fn a_program_that_never_lives_for_long_reports() {
    let lives = [(10 * SECOND, 10 * SECOND), (20 * SECOND, 40 * SECOND), (MINUTE, Duration::ZERO)];
    for (life, off) in lives {
        let mut host = Host::new();
        let (mut reports, began) = (0, host.wall);
        while host.wall < began + 5 * PERIOD {
            let end = host.now + life;
            while host.now < end {
                match host.step() {
                    Step::Collect => host.submit(),
                    Step::Send(attempt) => {
                        host.answer(&attempt, 201);
                        reports += 1;
                    }
                    Step::Wait(until) => host.pass(until.min(end) - host.now),
                    Step::Stopped => panic!("stopped"),
                }
            }
            host = host.restart(off);
        }
        assert!((4..=5).contains(&reports), "{reports} reports, {life:?} at a time");
    }
}

#[test]
fn a_slot_that_makes_no_sense_is_drawn_again() {
    let state = |next_due: std::time::SystemTime| {
        let since_1970 = next_due.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let text = format!(r#"{{"version":1,"next_due_unix_ns":{since_1970}}}"#);
        serde_json::from_str::<State>(&text).unwrap()
    };
    // The clock was set back, or the period was longer then.
    for ahead in [PERIOD + HOUR + SECOND, YEAR] {
        let times = (0..50).map(|seed| {
            let mut host = Host::start(Config::new(), state(wall_of_day() + ahead), seed);
            host.step();
            assert!(slot(&host) < PERIOD, "the new one is stored");
            host.wait_for_collect()
        });
        let early = times.filter(|time| *time < PERIOD / 2).count();
        assert!((12..38).contains(&early), "{early}");
    }
    let mut host = Host::start(Config::new(), state(wall_of_day() + PERIOD + HOUR), 3);
    assert_eq!(host.wait_for_collect(), PERIOD + HOUR);
}

#[test]
fn within_a_period_of_an_acknowledgement_no_slot_is_believed() {
    let mut host = Host::with(Config::every(HOUR));
    host.deliver();
    let acknowledged = host.wall;
    // The period is longer now.
    for off in [Duration::ZERO, MINUTE, 3 * HOUR] {
        let mut host = Host::start_at(Config::new(), stored(&host.disk), 5, host.wall + off);
        host.wait_for_collect();
        let after = host.wall.duration_since(acknowledged).unwrap();
        assert!((PERIOD..PERIOD + HOUR).contains(&after), "{after:?}");
    }
}

#[test]
fn whether_a_state_is_due_is_known_without_a_reporter() {
    let config = Config::new();
    let mut host = Host::new();
    assert!(!host.disk.is_due(&config, host.wall));
    host.step();
    assert!(!host.disk.is_due(&config, host.wall));
    let slot = host.disk.next_due().unwrap();
    assert!(!host.disk.is_due(&config, slot - SECOND));
    assert!(host.disk.is_due(&config, slot + SECOND));
    // On its way when the process ended.
    host.wait_for_usage();
    assert!(host.disk.is_due(&config, host.wall + SECOND));
    host.disk = acknowledged(host.wall);
    assert!(!host.disk.is_due(&config, host.wall + PERIOD - SECOND));
    assert!(host.disk.is_due(&config, host.wall + PERIOD + SECOND));
}
