//! Law 4 and the key that a restart takes over, case by case.

use std::time::Duration;

use usage_proto::TransportError;
use usage_reporter::{Attempt, Config, LossReason, ReportKind, State};

use crate::support::{
    HOUR, Host, MINUTE, PERIOD, SECOND, Step, acknowledged, api, key, stored, wall_of_day,
};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A process that finds this state; returns when it first asks for numbers.
fn first_collect(state: &State) -> Duration {
    Host::start(Config::new(), stored(state), 3).wait_for_collect()
}

#[test]
fn within_a_period_of_an_acknowledgement_nothing_is_sent() {
    for hours in 0..12 {
        let state = acknowledged(wall_of_day() - hours * HOUR);
        let left = PERIOD - hours * HOUR;
        let at = first_collect(&state);
        assert!((left..left + HOUR).contains(&at), "{at:?} after {hours} h");
    }
    let to_the_nanosecond = acknowledged(wall_of_day() - PERIOD + Duration::from_nanos(1));
    assert!(first_collect(&to_the_nanosecond) >= Duration::from_nanos(1));
}

#[test]
fn a_process_that_restarts_all_the_time_reports_once_a_period() {
    let mut host = Host::new();
    host.deliver();
    let (mut reports, mut wall) = (0, host.wall);
    let first = wall;
    for _ in 0..2_000 {
        host = host.restart(SECOND);
        host.pass(7 * MINUTE);
        while let step @ (Step::Collect | Step::Send(_)) = host.step() {
            match step {
                Step::Send(attempt) => {
                    reports += 1;
                    assert!(host.wall.duration_since(wall).unwrap() >= PERIOD);
                    wall = host.wall;
                    host.answer(&attempt, 201);
                }
                _ => host.submit(),
            }
        }
    }
    let periods = host.wall.duration_since(first).unwrap().as_secs() / PERIOD.as_secs();
    assert!((periods - 1..=periods).contains(&reports), "{reports} in {periods} periods");
}

#[test]
fn a_stamp_in_the_future_is_due_once() {
    for ahead in [Duration::from_nanos(1), HOUR, 30 * YEAR] {
        let mut host = Host::start(Config::new(), acknowledged(wall_of_day() + ahead), 3);
        assert!(host.wait_for_collect() < 10 * MINUTE);
        host.submit();
        let attempt = host.wait_for_usage();
        host.answer(&attempt, 201);
        let delivered = host.now;
        host.wait_for_collect();
        assert!(host.now - delivered >= PERIOD);
        assert!(host.disk.acknowledged().unwrap() <= host.wall);
    }
}

#[test]
fn after_a_year_off_one_report_is_due() {
    let mut host = Host::start(Config::new(), acknowledged(wall_of_day() - YEAR), 3);
    assert!(host.wait_for_collect() < 10 * MINUTE);
    host.submit();
    host.deliver();
    let delivered = host.now;
    host.wait_for_collect();
    assert!(host.now - delivered >= PERIOD);
}

/// A fleet that is switched on again has the same minute too.
#[test]
fn what_is_overdue_at_a_start_is_spread_over_ten_minutes() {
    let state = acknowledged(wall_of_day() - YEAR);
    let start = |seed| Host::start(Config::new(), state.clone(), seed).wait_for_collect();
    let times: Vec<_> = (0..200).map(start).collect();
    let early = times.iter().filter(|time| **time < 5 * MINUTE).count();
    assert!((70..130).contains(&early), "{early}");
}

#[test]
fn the_key_is_stored_before_the_report_is_sent() {
    let mut host = Host::new();
    assert_eq!(host.disk.unacknowledged_key(), None);
    let attempt = host.wait_for_usage();
    let stored = host.disk.unacknowledged_key().unwrap().to_string();
    assert_eq!(key(&attempt), format!("\"{stored}\""));
    assert_eq!(host.disk.acknowledged(), None);

    host.answer(&attempt, 201);
    host.step();
    assert_eq!(host.disk.unacknowledged_key(), None);
    assert_eq!(host.disk.acknowledged(), Some(host.wall));
}

#[test]
fn a_restart_takes_over_a_key_that_was_not_acknowledged() {
    let mut host = Host::new();
    let before = host.wait_for_usage();
    let mut host = host.restart(SECOND);
    assert!(host.wait_for_collect() < 10 * MINUTE);
    host.submit();
    let after = host.wait_for_usage();
    assert_eq!(key(&after), key(&before));
    host.answer(&after, 201);
    assert_ne!(key(&host.wait_for_usage()), key(&before));
}

#[test]
fn one_report_takes_the_key_over_and_no_second() {
    let mut host = Host::new();
    let before = host.wait_for_usage();
    let mut host = host.restart(SECOND);
    let after = host.wait_for_usage();
    assert_eq!(key(&after), key(&before));
    host.answer(&after, 422);
    host.step();
    assert_eq!(host.disk.unacknowledged_key(), None);
    let next = host.wait_for_usage();
    assert_ne!(key(&next), key(&before));

    // It was sent last: a third process takes over that one.
    let mut host = host.restart(SECOND);
    assert_eq!(key(&host.wait_for_usage()), key(&next));
}

#[test]
fn a_key_whose_report_was_never_sent_goes_to_the_one_that_took_its_place() {
    let mut host = Host::new();
    let before = host.wait_for_usage();
    let mut host = host.restart(SECOND);
    host.wait_for_collect();
    host.submit();
    // Stored with the key, and not sent.
    assert!(matches!(host.reporter.poll(host.now), usage_reporter::Action::Persist(_)));
    host.submit();
    assert_eq!(key(&host.wait_for_usage()), key(&before));
}

/// An API that knows the key would drop the numbers of another period without a word.
#[test]
fn a_key_is_for_the_same_slot_and_no_later_one() {
    // Out of turn: what the next process waits for is the next period.
    let mut host = Host::new();
    host.deliver();
    host.pass(HOUR);
    host.reporter.report_now(host.now);
    let out_of_turn = host.wait_for_usage();
    let mut host = host.restart(Duration::ZERO);
    assert!(host.wait_for_collect() >= 11 * HOUR);
    host.submit();
    assert_ne!(key(&host.wait_for_usage()), key(&out_of_turn));

    // Switched off in the middle of a report.
    for (off, same) in [(11 * HOUR, true), (PERIOD + HOUR, false), (YEAR, false)] {
        let mut host = Host::new();
        let before = host.wait_for_usage();
        let mut host = host.restart(off);
        assert!(host.wait_for_collect() < 10 * MINUTE);
        host.submit();
        assert_eq!(key(&host.wait_for_usage()) == key(&before), same, "{off:?}");
    }

    // There are no numbers until the next slot.
    let mut host = Host::new();
    let before = host.wait_for_usage();
    let mut host = host.restart(HOUR);
    host.wait_for_collect();
    host.reporter.collect_failed(host.now, "no numbers");
    assert_ne!(key(&host.wait_for_usage()), key(&before));
}

#[test]
fn a_clock_that_was_set_back_keeps_a_key_for_one_slot_only() {
    let mut host = Host::new();
    let before = host.wait_for_usage();
    host.wall -= YEAR;
    let mut host = host.restart(SECOND);
    host.wait_for_collect();
    host.reporter.collect_failed(host.now, "no numbers");
    host.wait_for_collect();
    host.reporter.collect_failed(host.now, "no numbers");
    assert_ne!(key(&host.wait_for_usage()), key(&before));
}

#[test]
fn a_report_that_is_told_lost_leaves_no_key_behind() {
    type Lose<'a> = &'a dyn Fn(&mut Host, &Attempt);
    let fail = |host: &mut Host, attempt: &Attempt| {
        host.reporter.on_failure(host.now, attempt.id, TransportError::timeout("late"));
    };
    let ways: [(LossReason, Lose<'_>); 5] = [
        (LossReason::Refused, &|host, attempt| host.answer(attempt, 422)),
        (LossReason::Gone, &|host, attempt| host.answer(attempt, 410)),
        (LossReason::Exhausted, &|host, attempt| {
            fail(host, attempt);
            for _ in 1..4 {
                let attempt = host.wait_for_usage();
                fail(host, &attempt);
            }
        }),
        (LossReason::Superseded, &|host, attempt| {
            host.answer_with(attempt, 503, 3600);
            host.submit();
        }),
        (LossReason::Unbuildable, &|host, attempt| {
            host.reporter.on_failure(host.now, attempt.id, TransportError::connect("refused"));
            host.reporter.set_api(api().with_request_limit(3));
            host.pass(MINUTE);
        }),
    ];
    for (reason, lose) in ways {
        let mut host = Host::new();
        let attempt = host.wait_for_usage();
        lose(&mut host, &attempt);
        host.step();
        assert_eq!(host.losses(), [(ReportKind::Usage, reason, 1)]);
        assert_eq!(host.disk.unacknowledged_key(), None, "{reason}");
        // Its next slot is drawn: a fleet of such hosts is not to come back in ten minutes.
        let mut host = host.restart(SECOND);
        let due = host.disk.next_due().unwrap().duration_since(host.wall).unwrap();
        assert_eq!(host.wait_for_collect(), due, "{reason}");
        host.submit();
        assert_ne!(key(&host.wait_for_usage()), key(&attempt), "{reason}");
    }
}

#[test]
fn gone_loses_the_key_of_usage_that_waits() {
    let mut host = Host::with(Config::new().start_spread(Duration::ZERO));
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 503);
    host.reporter.register(host.now, &usage_proto::Server::new()).unwrap();
    let attempt = host.wait_for_attempt();
    assert_eq!(attempt.report, ReportKind::Server);
    host.answer(&attempt, 410);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.disk.unacknowledged_key(), None);
}

#[test]
fn a_state_that_is_stored_in_a_drain_says_until_when_its_key_is_right() {
    let mut host = Host::new();
    host.wait_for_collect();
    host.submit();
    host.reporter.close(host.now + MINUTE);
    let before = host.wait_for_usage();
    assert!(host.disk.next_due().unwrap() >= host.wall + PERIOD);
    let mut host = host.restart(2 * PERIOD);
    assert_ne!(key(&host.wait_for_usage()), key(&before));
}

#[test]
fn a_state_of_a_clock_that_was_wrong_is_right_as_soon_as_the_clock_is() {
    // Reported in 1970, before the time was known.
    let mut host = Host::start_at(Config::new(), State::new(), 3, std::time::UNIX_EPOCH);
    host.deliver();
    assert!(host.disk.acknowledged().unwrap() < std::time::UNIX_EPOCH + 2 * PERIOD);
    let delivered = host.now;
    host.wall = wall_of_day();
    host.wait_for_usage();
    let ago = host.wall.duration_since(host.disk.acknowledged().unwrap()).unwrap();
    assert_eq!(ago, host.now - delivered);
}

#[test]
fn failures_are_counted_over_restarts_until_a_success() {
    let mut host = Host::new();
    for failures in 1..4 {
        let attempt = host.wait_for_usage();
        host.reporter.on_failure(host.now, attempt.id, TransportError::certificate("expired"));
        host.step();
        assert_eq!(host.disk.failures(), failures);
        host = host.restart(SECOND);
    }
    host.deliver();
    assert_eq!(host.disk.failures(), 0);
    let due = host.disk.next_due().unwrap();
    assert!(due >= host.wall + PERIOD && due < host.wall + PERIOD + HOUR);
}
