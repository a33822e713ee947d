//! The end: what is flushed, and by when.

use std::time::Duration;

use usage_reporter::{Event, LossReason, Phase, ReportKind, SubmitError};

use crate::support::{Host, MINUTE, SECOND, Step, key};

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

#[test]
fn a_registration_that_is_not_due_by_the_deadline_is_lost() {
    let mut host = Host::new();
    host.reporter.register(host.now, &usage_proto::Server::new()).unwrap();
    assert!(matches!(host.step(), Step::Wait(_)));
    host.reporter.close(host.now + Duration::from_millis(1));
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.losses(), [(ReportKind::Server, LossReason::Closed, 1)]);
}

#[test]
fn a_closed_reporter_takes_and_asks_nothing() {
    let mut host = Host::new();
    host.wait_for_collect();
    host.push_stats();
    host.reporter.close(host.now + MINUTE);
    let usage = usage_proto::Usage::new("influxdb");
    assert_eq!(host.reporter.submit(host.now, &usage), Err(SubmitError::Closed));
    host.reporter.report_now(host.now);
    let attempt = host.wait_for_attempt();
    host.answer(&attempt, 200);
    assert!(matches!(host.step(), Step::Stopped));
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
