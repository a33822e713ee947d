//! The end: what is flushed, and by when.

use std::time::Duration;

use usage_proto::{Server, Stats, Usage};
use usage_reporter::{Config, Event, LossReason, Phase, ReportKind, State, SubmitError};

use crate::support::{HOUR, Host, MINUTE, PERIOD, SECOND, Step, acknowledged, key, wall_of_day};

#[test]
fn a_close_sends_what_waits_and_stops() {
    let mut host = Host::new();
    host.push_stats();
    host.push_stats();
    let deadline = host.now + 5 * SECOND;
    host.reporter.close(deadline);
    assert_eq!(host.reporter.status().phase, Phase::Draining { deadline });
    assert_eq!(host.reporter.status().next_due, None);
    for _ in 0..2 {
        let attempt = host.wait_for_attempt();
        host.answer(&attempt, 200);
    }
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.reporter.status().delivered, 2);
    assert_eq!(host.reporter.status().phase, Phase::Stopped);
    assert_eq!(host.losses(), []);
}

#[test]
fn with_nothing_to_send_a_close_stops_at_once() {
    let mut host = Host::new();
    host.reporter.close(host.now + MINUTE);
    assert!(matches!(host.step(), Step::Stopped));
    assert!(matches!(host.step(), Step::Stopped));
}

#[test]
fn a_deadline_that_has_passed_starts_no_attempt() {
    let mut host = Host::new();
    host.push_stats();
    host.reporter.close(host.now);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.losses(), [(ReportKind::Stats, LossReason::Closed, 1)]);
}

#[test]
fn a_request_in_flight_is_waited_for_until_the_deadline_and_no_longer() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.reporter.close(host.now + 5 * SECOND);
    assert!(matches!(host.step(), Step::Wait(until) if until == host.now + 5 * SECOND));
    host.pass(5 * SECOND);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Closed, 1)]);

    // Too late; the next start sends the key again, and the API knows it.
    host.answer(&attempt, 201);
    assert_eq!(host.reporter.status().delivered, 0);
    assert!(matches!(host.step(), Step::Stopped));
    let mut host = host.restart(SECOND);
    assert_eq!(key(&host.wait_for_usage()), key(&attempt));
}

#[test]
fn an_acknowledgement_in_the_drain_is_stored() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.reporter.close(host.now + 5 * SECOND);
    host.pass(SECOND);
    host.answer(&attempt, 201);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.disk.acknowledged(), Some(host.wall));
    assert_eq!(host.disk.unacknowledged_key(), None);
}

#[test]
fn a_drain_respects_a_pause_and_does_not_wait_for_one_beyond_its_end() {
    for (seconds, stops_at_once) in [(60, true), (2, false)] {
        let mut host = Host::new();
        host.push_stats();
        let attempt = host.wait_for_attempt();
        host.answer_with(&attempt, 503, seconds);
        host.reporter.close(host.now + 10 * SECOND);
        if stops_at_once {
            assert!(matches!(host.step(), Step::Stopped));
            assert_eq!(host.losses(), [(ReportKind::Stats, LossReason::Closed, 1)]);
        } else {
            assert!(matches!(host.next(), Step::Send(retry) if retry.number == 2));
        }
    }
}

#[test]
fn a_failed_attempt_promises_no_other_after_the_end() {
    let mut host = Host::new();
    host.push_stats();
    let attempt = host.wait_for_attempt();
    host.reporter.close(host.now + 10 * SECOND);
    host.answer_with(&attempt, 503, 60);
    assert!(matches!(host.step(), Step::Stopped));
    let failed = host.events.iter().find(|event| event.name() == "attempt_failed").unwrap();
    assert!(matches!(failed, Event::AttemptFailed { retry_in: None, .. }), "{failed:?}");
    assert_eq!(host.losses(), [(ReportKind::Stats, LossReason::Closed, 1)]);
}

/// A program that lives for two seconds has no ten minutes to spread its start over.
#[test]
fn a_close_sends_the_registration_that_a_start_has_spread() {
    for seed in 0..100 {
        let mut host = Host::start(Config::new(), State::new(), seed);
        host.reporter.register(host.now, &Server::new()).unwrap();
        if seed % 2 == 0 {
            host.step();
        }
        host.reporter.close(host.now + 2 * SECOND);
        let Step::Send(attempt) = host.step() else { panic!("the registration is not sent") };
        assert_eq!(attempt.report, ReportKind::Server);
        host.pass(SECOND);
        host.answer(&attempt, 201);
        assert!(matches!(host.step(), Step::Stopped));
        assert_eq!((host.reporter.status().delivered, host.losses().len()), (1, 0));
    }
}

/// Nothing that waits for the API is hurried: it has asked for that time.
#[test]
fn a_close_does_not_shorten_the_wait_of_a_retry() {
    let mut host = Host::new();
    host.reporter.register(host.now, &Server::new()).unwrap();
    let attempt = host.wait_for_attempt();
    host.answer_with(&attempt, 503, 3);
    let failed = host.now;
    host.reporter.close(host.now + 10 * SECOND);
    let Step::Send(_) = host.next() else { panic!("there was time") };
    assert!(host.now >= failed + 3 * SECOND);
}

#[test]
fn a_report_that_was_asked_for_is_collected_and_sent_at_a_close() {
    for seed in 0..100 {
        let mut host = Host::start(Config::new(), State::new(), seed);
        host.reporter.report_now(host.now);
        host.reporter.close(host.now + 2 * SECOND);
        send_the_last(&mut host);
    }
}

#[test]
fn usage_whose_slot_has_passed_is_collected_and_sent_at_a_close() {
    let long_ago = acknowledged(wall_of_day() - 2 * PERIOD);
    for seed in 0..100 {
        let mut host = Host::start(Config::new(), long_ago.clone(), seed);
        host.step();
        host.reporter.close(host.now + 2 * SECOND);
        send_the_last(&mut host);
    }
    // A slot that was drawn, and is over.
    let mut host = Host::new();
    host.step();
    let mut host = host.restart(PERIOD);
    host.reporter.close(host.now + 2 * SECOND);
    send_the_last(&mut host);
    // One that begins at this moment, and one that nobody has looked at since.
    for late in [Duration::ZERO, MINUTE] {
        let mut host = Host::new();
        let Step::Wait(until) = host.step() else { panic!("there is nothing to wait for") };
        host.pass(until - host.now + late);
        host.push_stats();
        host.reporter.close(host.now + 2 * SECOND);
        assert!(matches!(host.step(), Step::Collect));
    }
}

#[test]
fn numbers_that_are_being_collected_at_a_close_are_sent() {
    let mut host = Host::new();
    host.wait_for_collect();
    host.reporter.close(host.now + 2 * SECOND);
    assert!(matches!(host.step(), Step::Wait(_)), "asked twice");
    host.pass(SECOND);
    host.submit();
    let Step::Send(attempt) = host.step() else { panic!("the numbers are not sent") };
    assert_eq!(attempt.report, ReportKind::Usage);
    host.answer(&attempt, 201);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.disk.acknowledged(), Some(host.wall));
}

#[test]
fn usage_that_is_not_due_is_not_collected_at_a_close() {
    let mut host = Host::new();
    host.deliver();
    host.pass(HOUR);
    for host in [Host::new(), host.restart(HOUR)] {
        let mut host = host;
        host.step();
        host.reporter.close(host.now + MINUTE);
        assert!(matches!(host.step(), Step::Stopped));
    }
}

/// The next start finds it due.
#[test]
fn numbers_that_do_not_come_hold_no_close_up() {
    type Answer = fn(&mut Host);
    let answers: [(Answer, bool); 3] = [
        (|host| host.reporter.collect_failed(host.now, "no numbers"), true),
        (|host| host.pass(2 * SECOND), false),
        (|host| host.pass(10 * MINUTE), false),
    ];
    for (answer, is_over) in answers {
        let mut host = Host::start(Config::new(), acknowledged(wall_of_day() - 2 * PERIOD), 3);
        host.step();
        host.reporter.close(host.now + 2 * SECOND);
        assert!(matches!(host.step(), Step::Collect));
        answer(&mut host);
        assert!(matches!(host.step(), Step::Stopped));
        assert_eq!((host.reporter.status().accepted, host.losses().len()), (0, 0));
        let due = host.restart(Duration::ZERO).wait_for_collect();
        assert_eq!(due >= PERIOD, is_over, "{due:?}");
    }
}

#[test]
fn what_an_api_that_wants_a_pause_cannot_get_is_not_collected() {
    let mut host = Host::new();
    host.push_stats();
    let attempt = host.wait_for_attempt();
    host.answer_with(&attempt, 503, 60);
    host.reporter.report_now(host.now);
    host.reporter.close(host.now + 10 * SECOND);
    assert!(matches!(host.step(), Step::Stopped));
}

#[test]
fn a_closed_reporter_takes_nothing_but_the_last_numbers() {
    let mut host = Host::new();
    host.wait_for_collect();
    host.push_stats();
    host.reporter.close(host.now + MINUTE);
    let usage = Usage::new("influxdb");
    let stats = Stats::new("influxdb");
    assert_eq!(host.reporter.push_stats(host.now, &stats), Err(SubmitError::Closed));
    assert_eq!(host.reporter.register(host.now, &Server::new()), Err(SubmitError::Closed));
    host.reporter.report_now(host.now);
    assert_eq!(host.reporter.submit(host.now, &usage), Ok(()));
    assert_eq!(host.reporter.submit(host.now, &usage), Err(SubmitError::Closed));
    for _ in 0..2 {
        let attempt = host.wait_for_attempt();
        host.answer(&attempt, 200);
    }
    assert!(matches!(host.step(), Step::Stopped));
}

/// Collects and delivers what is due, and stops.
fn send_the_last(host: &mut Host) {
    assert!(matches!(host.step(), Step::Collect));
    host.submit();
    let Step::Send(attempt) = host.step() else { panic!("the numbers are not sent") };
    assert_eq!(attempt.report, ReportKind::Usage);
    host.answer(&attempt, 201);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!((host.reporter.status().delivered, host.losses().len()), (1, 0));
    assert_eq!(host.disk.acknowledged(), Some(host.wall));
}

#[test]
fn the_earliest_of_several_deadlines_counts() {
    let mut host = Host::new();
    host.push_stats();
    host.wait_for_attempt();
    host.reporter.close(host.now + MINUTE);
    host.reporter.close(host.now + SECOND);
    host.reporter.close(host.now + MINUTE);
    assert!(matches!(host.step(), Step::Wait(until) if until == host.now + SECOND));
}
