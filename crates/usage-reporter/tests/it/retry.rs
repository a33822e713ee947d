//! What becomes of a report that fails.

use std::time::{Duration, Instant};

use usage_proto::{Server, TransportError};
use usage_reporter::{Config, Event, LossReason, ReportKind, RetryPolicy, State};

use crate::support::{HOUR, Host, MINUTE, PERIOD, SECOND, Step, key, page};

#[test]
fn a_retry_has_the_same_bytes_and_key_and_a_new_report_has_another_w43() {
    let mut host = Host::new();
    let first = host.wait_for_usage();
    host.answer(&first, 503);
    let retry = host.wait_for_usage();
    assert_eq!((first.number, retry.number), (1, 2));
    assert_ne!(first.id, retry.id);
    assert_eq!(first.request.uri(), retry.request.uri());
    assert_eq!(first.request.headers(), retry.request.headers());
    assert_eq!(first.request.body(), retry.request.body());
    host.answer(&retry, 201);

    let next = host.wait_for_usage();
    assert_ne!(key(&next), key(&first));
    assert_ne!(next.request.body(), first.request.body());
}

/// A proxy that cannot reach the API has a status of its own for it, and costs no period.
#[test]
fn a_status_of_a_server_s_failure_is_tried_again_w44() {
    for status in 500..600 {
        let mut host = Host::new();
        let first = host.wait_for_usage();
        host.answer(&first, status);
        let next = host.wait_for_usage();
        let is_final = [501, 505, 506, 510, 511].contains(&status);
        assert_eq!(next.number, if is_final { 1 } else { 2 }, "{status}");
        assert_eq!(key(&next) == key(&first), !is_final, "{status}");
    }
}

#[test]
fn a_report_has_four_attempts_with_full_jitter_from_five_seconds_on() {
    let mut waits = [const { Vec::new() }; 3];
    for seed in 0..300 {
        let mut host = Host::start(Config::new(), State::new(), seed);
        let mut attempt = host.wait_for_usage();
        for (index, waits) in waits.iter_mut().enumerate() {
            let failed = host.now;
            host.answer(&attempt, 503);
            attempt = host.wait_for_usage();
            assert_eq!(attempt.number as usize, index + 2);
            waits.push(host.now - failed);
        }
        host.answer(&attempt, 503);
        host.step();
        assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Exhausted, 1)]);
    }
    for (waits, longest) in waits.iter().zip([5, 10, 20].map(|seconds| seconds * SECOND)) {
        assert!(waits.iter().all(|wait| *wait < longest));
        let mean = waits.iter().sum::<Duration>() / 300;
        assert!((longest * 2 / 5..longest * 3 / 5).contains(&mean), "{mean:?} of {longest:?}");
    }
}

#[test]
fn the_back_off_grows_over_reports_up_to_its_cap() {
    let mut host = Host::new();
    let mut waits = Vec::new();
    let mut failed: Option<Instant> = None;
    for _ in 0..200 {
        // There is always something to send.
        host.push_stats();
        let attempt = host.wait_for_attempt();
        waits.extend(failed.map(|failed| host.now - failed));
        failed = Some(host.now);
        host.answer(&attempt, 503);
    }
    let longest = waits.iter().max().unwrap();
    assert!((4 * MINUTE..=5 * MINUTE).contains(longest), "{longest:?}");
}

#[test]
fn a_success_or_a_refusal_ends_the_back_off() {
    for status in [201, 422] {
        for seed in 0..20 {
            let mut host = Host::start(Config::new(), State::new(), seed);
            for _ in 0..12 {
                let attempt = host.wait_for_usage();
                host.answer(&attempt, 503);
            }
            let attempt = host.wait_for_usage();
            host.answer(&attempt, status);
            let attempt = host.wait_for_usage();
            host.answer(&attempt, 503);
            let failed = host.now;
            host.wait_for_usage();
            assert!(host.now - failed < 5 * SECOND, "{:?}", host.now - failed);
        }
    }
}

#[test]
fn retry_after_is_a_floor_for_everything_w39() {
    for seed in 0..50 {
        let mut host = Host::start(Config::new(), State::new(), seed);
        let attempt = host.wait_for_usage();
        host.answer_with(&attempt, 429, 100);
        let asked = host.now;
        host.push_stats();
        host.reporter.report_now(host.now);
        assert!(matches!(host.step(), Step::Wait(until) if until >= asked + 100 * SECOND));
        // Not all at the same moment: for all of the hosts it could be the same date.
        assert_eq!(host.wait_for_attempt().report, ReportKind::Usage);
        assert!((100 * SECOND..150 * SECOND).contains(&(host.now - asked)));
    }
}

#[test]
fn retry_after_counts_with_a_refusal_too() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.answer_with(&attempt, 403, 3600);
    let refused = host.now;
    host.push_stats();
    host.wait_for_attempt();
    assert!(host.now - refused >= HOUR);
}

#[test]
fn a_pause_beyond_the_next_slot_ends_with_one_report_of_fresh_numbers() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.answer_with(&attempt, 503, 24 * 3600);
    let asked = host.now;
    assert!(matches!(host.next(), Step::Collect));
    assert!(host.now - asked >= 24 * HOUR);
    host.submit();
    let fresh = host.wait_for_usage();
    assert_ne!(fresh.request.body(), attempt.request.body());
    assert_ne!(key(&fresh), key(&attempt));
    assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Superseded, 1)]);
    host.answer(&fresh, 201);
    assert!(matches!(host.step(), Step::Wait(until) if until >= host.now + PERIOD));
}

#[test]
fn what_the_api_refuses_is_not_tried_again_w44() {
    for status in [400, 401, 403, 404, 413, 422, 302] {
        let mut host = Host::new();
        let attempt = host.wait_for_usage();
        host.answer(&attempt, status);
        assert!(matches!(host.step(), Step::Wait(until) if until >= host.now + PERIOD), "{status}");
        assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Refused, 1)], "{status}");
    }
}

#[test]
fn a_certificate_that_is_not_accepted_is_not_tried_again_w44() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.reporter.on_failure(host.now, attempt.id, TransportError::certificate("expired"));
    assert!(matches!(host.step(), Step::Wait(until) if until >= host.now + PERIOD));
    assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Refused, 1)]);
}

#[test]
fn gone_stops_until_the_next_start() {
    let mut host = Host::new();
    host.push_stats();
    let attempt = host.wait_for_attempt();
    host.push_stats();
    host.answer(&attempt, 410);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.losses(), [(ReportKind::Stats, LossReason::Gone, 2)]);
    assert_eq!(host.loud(), ["gone"]);
    assert!(matches!(host.events.last(), Some(Event::Lost { .. })));

    host.pass(100 * PERIOD);
    host.reporter.report_now(host.now);
    assert!(matches!(host.step(), Step::Stopped));
    let closed = host.reporter.push_stats(host.now, &usage_proto::Stats::new("influxdb"));
    assert_eq!(closed, Err(usage_reporter::SubmitError::Closed));

    let mut host = host.restart(Duration::ZERO);
    host.wait_for_usage();
}

#[test]
fn gone_ends_a_question_for_numbers_too() {
    let mut host = Host::new();
    host.push_stats();
    let attempt = host.wait_for_attempt();
    host.reporter.report_now(host.now);
    assert!(matches!(host.step(), Step::Collect));
    host.answer(&attempt, 410);
    assert!(matches!(host.step(), Step::Stopped));
    let told = host.events.len();
    host.pass(PERIOD);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.events.len(), told, "{:?}", host.events.last());
}

#[test]
fn one_attempt_is_no_retry() {
    let retry = RetryPolicy::new().attempts(1);
    let mut host = Host::with(Config::new().retry(retry));
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 503);
    host.step();
    assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Exhausted, 1)]);
}

/// An API that takes usage and no registrations, and asks for a long pause each time.
#[test]
fn a_registration_that_never_gets_through_does_not_keep_usage_back() {
    let mut host = Host::new();
    host.reporter.register(host.now, &Server::new().product("influxdb")).unwrap();
    let mut usage = 0;
    for _ in 0..120 {
        let attempt = host.wait_for_attempt();
        if attempt.report == ReportKind::Server {
            host.answer_with(&attempt, 503, 6 * 3600);
        } else {
            usage += 1;
            host.answer(&attempt, 201);
        }
    }
    // While it had its first slot, the registration went before.
    let lost = host.losses().iter().filter(|loss| loss.0 == ReportKind::Usage).count();
    assert!(lost <= 2 && usage >= 25, "{usage} delivered, {:?}", host.losses());
}

/// The API has refused nothing: it has not seen the report.
#[test]
fn a_page_in_place_of_an_answer_is_an_outage_and_the_report_is_kept_w30() {
    for status in [200, 201, 203] {
        let mut host = Host::new();
        let first = host.wait_for_usage();
        let mut attempt = first.clone();
        for number in 1..=4 {
            assert_eq!((attempt.number, key(&attempt)), (number, key(&first)));
            host.reporter.on_response(host.now, attempt.id, page(status));
            if number < 4 {
                attempt = host.wait_for_usage();
            }
        }
        host.step();
        assert_eq!(host.loud(), ["outage_began"]);
        let told = host.events.iter().find(|event| event.name() == "outage_began").unwrap();
        assert!(told.to_string().contains("a web page"), "{told}");
        let counts = |host: &Host| {
            let status = host.reporter.status();
            (status.delivered, status.lost, status.pending)
        };
        assert_eq!(counts(&host), (0, 0, 1));
        assert_eq!(host.disk.acknowledged(), None);

        // The next slot has no numbers: what was kept goes out, as it was.
        host.wait_for_collect();
        host.reporter.collect_failed(host.now, "no numbers");
        let kept = host.wait_for_usage();
        assert_eq!((kept.number, key(&kept)), (1, key(&first)));
        assert_eq!(kept.request.body(), first.request.body());
        host.answer(&kept, 201);
        host.step();
        assert_eq!(counts(&host), (1, 0, 0));
        assert_eq!(host.loud(), ["outage_began", "outage_ended"]);
    }
}

#[test]
fn what_met_a_page_goes_out_in_the_next_slot_or_at_another_address() {
    let meet_pages = |host: &mut Host| {
        for _ in 0..4 {
            let attempt = host.wait_for_attempt();
            assert_eq!(attempt.report, ReportKind::Stats);
            host.reporter.on_response(host.now, attempt.id, page(200));
        }
        host.step();
        assert_eq!(host.reporter.status().pending, 1);
    };
    let mut host = Host::new();
    host.push_stats();
    meet_pages(&mut host);
    host.wait_for_collect();
    let Step::Send(attempt) = host.step() else { panic!("kept, and not sent in the slot") };
    assert_eq!(attempt.report, ReportKind::Stats);

    let mut host = Host::new();
    host.push_stats();
    meet_pages(&mut host);
    host.reporter.set_api(usage_proto::Api::new(usage_proto::BaseUrl::PRODUCTION));
    let Step::Send(attempt) = host.step() else { panic!("kept from another address") };
    assert_eq!(attempt.request.uri().host(), Some("usage.influxdata.com"));
}

/// A restart in front of a portal loses nothing either.
#[test]
fn a_report_that_met_a_page_keeps_its_key_over_a_restart() {
    let mut host = Host::new();
    let first = host.wait_for_usage();
    host.reporter.on_response(host.now, first.id, page(200));
    host.step();
    let mut host = host.restart(HOUR);
    assert!(host.wait_for_collect() < 10 * MINUTE);
    host.submit();
    assert_eq!(key(&host.wait_for_usage()), key(&first));
}
