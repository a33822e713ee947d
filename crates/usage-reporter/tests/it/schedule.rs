//! When usage is due in a process that keeps running.

use std::time::Duration;

use usage_proto::{Stats, TransportError, Usage, UsageData};
use usage_reporter::{Config, Event, ReportKind, State};

use crate::support::{HOUR, Host, MINUTE, PERIOD, SECOND, Step, key};

/// The share of `times` in each tenth of `whole`.
fn tenths(times: &[Duration], whole: Duration) -> [usize; 10] {
    let mut shares = [0; 10];
    for time in times {
        let tenth = time.as_nanos() * 10 / whole.as_nanos();
        shares[usize::try_from(tenth).unwrap()] += 1;
    }
    shares
}

#[test]
fn a_fleet_that_is_installed_together_first_reports_all_over_the_period() {
    let first = |seed| Host::start(Config::new(), State::new(), seed).wait_for_collect();
    let times: Vec<_> = (0..1000).map(first).collect();
    assert!(times.iter().all(|time| *time < PERIOD));
    assert!(tenths(&times, PERIOD).iter().all(|share| (60..140).contains(share)));
}

#[test]
fn registrations_are_spread_over_ten_minutes() {
    let registration = |seed| {
        let mut host = Host::start(Config::new(), State::new(), seed);
        host.reporter.register(host.now, &usage_proto::Server::new()).unwrap();
        let attempt = host.wait_for_attempt();
        // A few hosts in a hundred have usage due even before.
        (attempt.report == ReportKind::Server).then(|| host.now - host.started)
    };
    let times: Vec<_> = (0..1000).filter_map(registration).collect();
    assert!(times.len() > 950);
    assert!(times.iter().all(|time| *time < 10 * MINUTE));
    assert!(tenths(&times, 10 * MINUTE).iter().all(|share| (60..140).contains(share)));
}

#[test]
fn later_periods_are_never_shorter_and_a_little_longer() {
    let mut host = Host::new();
    let mut last = None;
    let mut gaps = Vec::new();
    for _ in 0..200 {
        host.deliver();
        gaps.extend(last.map(|last| host.now - last));
        last = Some(host.now);
    }
    assert!(gaps.iter().all(|gap| (PERIOD..PERIOD + HOUR).contains(gap)), "{gaps:?}");
    let extra: Vec<_> = gaps.iter().map(|gap| *gap - PERIOD).collect();
    assert!(tenths(&extra, HOUR).iter().all(|share| *share > 5), "{extra:?}");
}

#[test]
fn a_failure_advances_the_schedule() {
    let mut host = Host::new();
    let slot = host.wait_for_collect();
    host.submit();
    for _ in 0..4 {
        let attempt = host.wait_for_usage();
        host.answer(&attempt, 503);
    }
    let next = host.wait_for_collect();
    assert!((PERIOD..PERIOD + HOUR).contains(&(next - slot)), "{:?}", next - slot);
}

#[test]
fn missed_periods_are_not_made_up_for() {
    let mut host = Host::new();
    host.deliver();
    host.pass(100 * PERIOD);
    assert!(matches!(host.step(), Step::Collect));
    host.submit();
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 201);
    let before = host.now;
    host.wait_for_collect();
    assert!(host.now - before >= PERIOD);
}

#[test]
fn a_question_that_nobody_answers_is_an_event_and_the_schedule_goes_on() {
    let mut host = Host::new();
    let first = host.wait_for_collect();
    assert!(matches!(host.step(), Step::Wait(until) if until == host.now + MINUTE));
    let next = host.wait_for_collect();
    assert!(matches!(host.events[..], [Event::CollectUnanswered]));
    let error = host.reporter.status().collect_error.unwrap();
    assert_eq!(error.to_string(), "no usage was collected in time");
    assert!(next - first >= PERIOD);
}

#[test]
fn a_collector_that_fails_is_an_event_and_the_schedule_goes_on() {
    let mut host = Host::new();
    host.wait_for_collect();
    host.reporter.collect_failed(host.now, "the collector panicked");
    host.wait_for_collect();
    let [event] = &host.events[..] else { panic!("{:?}", host.events) };
    assert_eq!(event.to_string(), "usage could not be collected: the collector panicked");
    let error = host.reporter.status().collect_error.unwrap();
    assert_eq!(error.to_string(), "the collector panicked");

    // Without a question there is nothing to fail.
    host.reporter.collect_failed(host.now, "");
    host.reporter.collect_failed(host.now, "again");
    assert!(matches!(host.step(), Step::Wait(_)));
    assert_eq!(host.events.len(), 2);

    // Statistics are not usage: the numbers are still missing.
    host.reporter.push_stats(host.now, &Stats::new("p")).unwrap();
    assert!(host.reporter.status().collect_error.is_some());
    host.reporter.submit(host.now, &Usage::new("p")).unwrap();
    assert!(host.reporter.status().collect_error.is_none());
}

#[test]
fn an_attempt_that_nobody_answers_fails_after_twice_the_total_deadline() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    assert!(matches!(host.step(), Step::Wait(until) if until == host.now + 120 * SECOND));
    let retry = host.wait_for_usage();
    assert_eq!(retry.number, 2);

    // The answer to the first one comes too late, and is for nobody.
    host.answer(&attempt, 201);
    assert_eq!(host.reporter.status().delivered, 0);
    host.reporter.on_failure(host.now, attempt.id, TransportError::timeout("late"));
    host.answer(&retry, 201);
    assert_eq!(host.reporter.status().delivered, 1);
}

#[test]
fn an_outcome_of_another_reporter_is_for_nobody() {
    let mut first = Host::start(Config::new(), State::new(), 1);
    let mut second = Host::start(Config::new(), State::new(), 2);
    let (of_first, of_second) = (first.wait_for_usage(), second.wait_for_usage());
    assert_ne!(of_first.id, of_second.id);
    second.answer(&of_first, 201);
    assert_eq!(second.reporter.status().delivered, 0);
    second.answer(&of_second, 201);
    assert_eq!(second.reporter.status().delivered, 1);
}

#[test]
fn an_answer_that_comes_before_the_reporter_looks_at_the_clock_counts() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.pass(HOUR);
    host.answer(&attempt, 201);
    assert_eq!(host.reporter.status().delivered, 1);
}

#[test]
fn the_host_can_ask_for_a_report_out_of_turn() {
    let mut host = Host::new();
    host.deliver();
    host.pass(MINUTE);
    host.reporter.report_now(host.now);
    assert!(matches!(host.step(), Step::Collect));
    let asked = host.now;
    host.submit();
    let attempt = host.wait_for_usage();
    assert_eq!(host.now, asked);
    host.answer(&attempt, 201);
    host.wait_for_collect();
    assert!(host.now - asked >= PERIOD);
}

#[test]
fn usage_that_nobody_asked_for_is_a_report_out_of_turn() {
    let mut host = Host::new();
    host.submit();
    let attempt = host.wait_for_usage();
    assert_eq!(host.now, host.started);
    host.answer(&attempt, 201);
    assert!(host.wait_for_collect() >= PERIOD);
}

#[test]
fn an_instant_of_the_past_is_taken_for_the_latest() {
    let mut host = Host::new();
    host.wait_for_collect();
    let early = host.started;
    host.reporter.collect_failed(early, "no numbers");
    host.now = early;
    assert!(matches!(host.step(), Step::Wait(until) if until > host.started + PERIOD));
}

#[test]
fn a_report_that_is_not_taken_tells_the_time_all_the_same() {
    let mut host = Host::new();
    let due = host.reporter.status().next_due.unwrap();
    let usage = Usage::new("p").data(UsageData::new().value("uptime", f64::NAN));
    assert!(host.reporter.submit(due, &usage).is_err());
    // Another thread, a little late.
    assert!(matches!(host.step(), Step::Collect));
}

/// Law 5, in the open: the reporter is told the wall clock where a state is stamped, and only there.
#[test]
fn a_wall_clock_that_jumps_moves_stamps_and_nothing_else() {
    let run = |jump: Duration| {
        let mut host = Host::new();
        let mut times = Vec::new();
        for _ in 0..10 {
            host.wall += jump;
            host.deliver();
            times.push(host.now - host.started);
        }
        (times, host.disk)
    };
    let (steady, disk) = run(Duration::ZERO);
    let (jumping, other) = run(400 * 24 * HOUR);
    assert_eq!(steady, jumping);
    assert!(other.acknowledged().unwrap() > disk.acknowledged().unwrap() + 3000 * 24 * HOUR);
}

/// A clock that stands still in suspend, and a wall clock that does not.
#[test]
fn a_machine_that_slept_reports_soon_and_not_with_all_the_others() {
    let days = |days: u32| 24 * HOUR * days;
    for slept in [PERIOD + HOUR, days(3), days(365), Duration::MAX / 4] {
        let wake = |seed| {
            let mut host = Host::start(Config::new(), State::new(), seed);
            host.deliver();
            let wait = host.now;
            host.reporter.slept(host.now, slept);
            host.wall += slept.min(days(365));
            host.wait_for_collect();
            host.now - wait
        };
        let waits: Vec<_> = (0..200).map(wake).collect();
        assert!(waits.iter().all(|wait| *wait < 10 * MINUTE), "{slept:?}: {waits:?}");
        let early = waits.iter().filter(|wait| **wait < 5 * MINUTE).count();
        assert!((70..130).contains(&early), "{early} of 200");
    }
}

#[test]
fn a_sleep_counts_as_time_that_has_passed() {
    let mut host = Host::new();
    host.deliver();
    let due = host.reporter.status().next_due.unwrap();
    let (acknowledged, slot) = (host.disk.acknowledged(), host.disk.next_due());
    for _ in 0..5 {
        host.wall += HOUR;
        host.reporter.slept(host.now, HOUR);
    }
    assert_eq!(host.reporter.status().next_due, Some(due - 5 * HOUR));
    host.step();
    // What is on the disk is as it was: both are times of day.
    assert_eq!((host.disk.acknowledged(), host.disk.next_due()), (acknowledged, slot));
    host.wait_for_collect();
    assert_eq!(host.now, due - 5 * HOUR);
}

#[test]
fn a_sleep_makes_nothing_later_and_shortens_no_pause() {
    // A second before the slot.
    let mut host = Host::new();
    host.deliver();
    let due = host.reporter.status().next_due.unwrap();
    host.pass(due - host.now - SECOND);
    host.reporter.slept(host.now, 100 * PERIOD);
    host.wait_for_collect();
    assert!(host.now <= due);

    // The API has asked for a day.
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.answer_with(&attempt, 503, 86_400);
    let failed = host.now;
    host.reporter.slept(host.now, 100 * PERIOD);
    host.wait_for_attempt();
    assert!(host.now - failed >= 24 * HOUR);

    // Numbers have the time that they had.
    let mut host = Host::new();
    host.wait_for_collect();
    host.reporter.slept(host.now, 100 * PERIOD);
    assert!(matches!(host.step(), Step::Wait(until) if until == host.now + MINUTE));

    // A closed reporter has nothing to bring forward.
    let mut host = Host::new();
    host.push_stats();
    host.wait_for_attempt();
    host.reporter.close(host.now + MINUTE);
    host.reporter.slept(host.now, 100 * PERIOD);
    assert!(matches!(host.step(), Step::Wait(until) if until == host.now + MINUTE));
}

#[test]
fn the_key_of_the_last_run_is_no_longer_right_after_a_sleep() {
    let mut host = Host::new();
    let before = host.wait_for_usage();
    let mut host = host.restart(HOUR);
    host.wall += 3 * PERIOD;
    host.reporter.slept(host.now, 3 * PERIOD);
    assert_ne!(key(&host.wait_for_usage()), key(&before));
}

#[test]
fn what_is_due_next_is_never_in_the_past() {
    let mut host = Host::new();
    let due = host.reporter.status().next_due.unwrap();
    host.now = due + 3 * HOUR;
    host.push_stats();
    assert_eq!(host.reporter.status().next_due, Some(host.now));
}
