//! What becomes of a registration that fails.

use std::time::Duration;

use usage_proto::{Api, BaseUrl, Server, TOKEN_HEADER, TransportError};
use usage_reporter::{Attempt, Config, LossReason, ReportKind};

use crate::support::{HOUR, Host, PERIOD, SECOND, Step, api, api_with, key};

/// A host that registers at once.
fn registering() -> Host {
    let mut host = Host::with(Config::new().start_spread(Duration::ZERO));
    register(&mut host);
    host
}

fn register(host: &mut Host) {
    host.reporter.register(host.now, &Server::new().host("example.com")).unwrap();
}

fn wait_for_registration(host: &mut Host) -> Attempt {
    let attempt = host.wait_for_attempt();
    assert_eq!(attempt.report, ReportKind::Server);
    attempt
}

/// Nothing is sent before the question for numbers.
fn assert_waits_for_slot(host: &mut Host) {
    let due = host.reporter.status().next_due.unwrap();
    assert!(matches!(host.step(), Step::Wait(until) if until == due));
    assert_eq!(host.reporter.status().pending, 1);
}

fn token(attempt: &Attempt) -> Option<&str> {
    attempt.request.headers().get(TOKEN_HEADER).map(|token| token.to_str().unwrap())
}

#[test]
fn a_registration_that_fails_is_tried_again_when_usage_is_due() {
    let mut host = registering();
    let mut first = None;
    for _ in 0..4 {
        let attempt = wait_for_registration(&mut host);
        first.get_or_insert(key(&attempt));
        host.reporter.on_failure(host.now, attempt.id, TransportError::connect("no network yet"));
    }
    assert_waits_for_slot(&mut host);
    host.wait_for_collect();
    let slot = host.now;
    host.submit();
    // Fresh numbers go before what has failed so often.
    let usage = host.wait_for_usage();
    host.answer(&usage, 201);
    let retry = wait_for_registration(&mut host);
    assert_eq!(host.now, slot);
    assert_eq!((key(&retry), retry.number), (first.unwrap(), 1));
    assert_eq!(host.losses(), []);
    host.answer(&retry, 201);
    host.step();
    assert_eq!(host.reporter.status().pending, 0);
}

#[test]
fn usage_out_of_turn_takes_the_registration_with_it() {
    let mut host = registering();
    for _ in 0..4 {
        let attempt = wait_for_registration(&mut host);
        host.answer(&attempt, 503);
    }
    host.pass(5 * 60 * SECOND);
    assert_waits_for_slot(&mut host);
    host.submit();
    let usage = host.wait_for_usage();
    host.answer(&usage, 201);
    wait_for_registration(&mut host);
}

#[test]
fn a_registration_whose_token_is_refused_waits_for_another() {
    let mut host = registering();
    let refused = wait_for_registration(&mut host);
    host.answer(&refused, 401);
    assert_waits_for_slot(&mut host);
    // The same again is nothing new.
    host.reporter.set_api(api());
    assert_waits_for_slot(&mut host);

    host.reporter.set_api(api_with("late"));
    let registered = wait_for_registration(&mut host);
    assert_eq!(host.now, host.started);
    assert_eq!((token(&registered), registered.number), (Some("late"), 1));
    host.answer(&registered, 201);
    host.step();
    assert_eq!(host.losses(), []);
    assert_eq!(host.reporter.status().pending, 0);
    assert_eq!(host.loud(), ["outage_began", "outage_ended"]);
}

#[test]
fn a_registration_whose_token_is_refused_is_tried_once_a_slot() {
    let mut host = registering();
    let mut registrations = 0;
    while host.now < host.started + 20 * PERIOD {
        let attempt = host.wait_for_attempt();
        let is_server = attempt.report == ReportKind::Server;
        registrations += usize::from(is_server);
        host.answer(&attempt, if is_server { 401 } else { 201 });
    }
    assert!((15..=22).contains(&registrations), "{registrations}");
    assert_eq!(host.losses(), []);
}

#[test]
fn a_token_that_comes_before_the_refusal_is_used_at_once() {
    let mut host = registering();
    let refused = wait_for_registration(&mut host);
    host.reporter.set_api(api_with("late"));
    host.answer(&refused, 401);
    let registered = wait_for_registration(&mut host);
    assert_eq!((host.now, token(&registered)), (host.started, Some("late")));
    // The second refusal is that of the token that is there.
    host.answer(&registered, 401);
    assert_waits_for_slot(&mut host);
}

#[test]
fn a_registration_that_was_refused_for_another_reason_is_lost() {
    let mut host = registering();
    let refused = wait_for_registration(&mut host);
    host.answer(&refused, 422);
    host.step();
    assert_eq!(host.losses(), [(ReportKind::Server, LossReason::Refused, 1)]);
}

#[test]
fn a_newer_registration_takes_the_place_of_one_that_waits() {
    let mut host = registering();
    let refused = wait_for_registration(&mut host);
    register(&mut host);
    host.answer(&refused, 401);
    let newer = wait_for_registration(&mut host);
    assert_ne!(key(&newer), key(&refused));
    assert_eq!(host.losses(), [(ReportKind::Server, LossReason::Superseded, 1)]);
}

#[test]
fn what_may_have_arrived_at_an_address_that_fails_is_registered_at_the_new_one() {
    let mut host = registering();
    for _ in 0..4 {
        let attempt = wait_for_registration(&mut host);
        host.reporter.set_api(Api::new(BaseUrl::PRODUCTION));
        assert_ne!(attempt.request.uri().host(), Some("usage.influxdata.com"));
        host.reporter.on_failure(host.now, attempt.id, TransportError::timeout("late"));
    }
    let attempt = wait_for_registration(&mut host);
    assert_eq!(attempt.request.uri().host(), Some("usage.influxdata.com"));
    assert_eq!(attempt.number, 1);
}

#[test]
fn a_registration_that_waits_for_its_slot_does_not_wait_in_a_drain() {
    let mut host = registering();
    let refused = wait_for_registration(&mut host);
    host.reporter.close(host.now + HOUR);
    host.answer(&refused, 401);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.losses(), [(ReportKind::Server, LossReason::Closed, 1)]);
}
