//! A token, or another address, that comes while the reporter runs.

use std::time::Duration;

use usage_proto::{Api, BaseUrl, TOKEN_HEADER, TransportError};
use usage_reporter::{Attempt, Config, LossReason, ReportKind, State};

use crate::support::{HOUR, Host, MINUTE, SECOND, Step, api, api_with, key};

fn token(attempt: &Attempt) -> Option<&str> {
    attempt.request.headers().get(TOKEN_HEADER).map(|token| token.to_str().unwrap())
}

#[test]
fn reports_carry_a_token_as_soon_as_there_is_one() {
    let mut host = Host::new();
    host.push_stats();
    let before = host.wait_for_attempt();
    assert_eq!(token(&before), None);
    host.push_stats();
    host.reporter.set_api(api_with("late"));
    host.answer(&before, 200);
    // It waited without a token.
    let after = host.wait_for_attempt();
    assert_eq!(token(&after), Some("late"));
    assert!(after.request.headers()[TOKEN_HEADER].is_sensitive());
}

#[test]
fn a_report_that_may_have_arrived_keeps_its_token_w43() {
    let mut host = Host::new();
    let first = host.wait_for_usage();
    host.reporter.on_failure(host.now, first.id, TransportError::timeout("late"));
    host.reporter.set_api(api_with("late"));
    let retry = host.wait_for_usage();
    assert_eq!((token(&retry), key(&retry)), (None, key(&first)));
    host.answer(&retry, 201);
    assert_eq!(token(&host.wait_for_usage()), Some("late"));
}

#[test]
fn a_report_that_never_left_takes_the_new_address_and_token() {
    let mut host = Host::new();
    let first = host.wait_for_usage();
    host.reporter.on_failure(host.now, first.id, TransportError::connect("refused"));
    let elsewhere = Api::new(BaseUrl::PRODUCTION);
    host.reporter.set_api(elsewhere);
    let retry = host.wait_for_usage();
    assert_eq!(retry.request.uri().host(), Some("usage.influxdata.com"));
    assert_eq!(retry.request.body(), first.request.body());
    assert_eq!(key(&retry), key(&first));
}

#[test]
fn a_pause_is_the_old_address_s_and_stays_with_a_new_token() {
    for (next, waits) in [(api_with("late"), true), (Api::new(BaseUrl::PRODUCTION), false)] {
        let mut host = Host::new();
        host.push_stats();
        let attempt = host.wait_for_attempt();
        host.answer_with(&attempt, 429, 3600);
        host.reporter.set_api(next);
        host.push_stats();
        let asked = host.now;
        host.wait_for_attempt();
        assert_eq!(host.now - asked >= HOUR, waits);
    }
}

/// A host that asked one address and reports to another by the time of the answer.
fn moved() -> (Host, Attempt) {
    let mut host = Host::new();
    host.push_stats();
    let attempt = host.wait_for_attempt();
    host.reporter.set_api(Api::new(BaseUrl::PRODUCTION));
    (host, attempt)
}

#[test]
fn gone_from_the_old_address_loses_that_report_alone() {
    let (mut host, attempt) = moved();
    host.push_stats();
    host.answer(&attempt, 410);
    let next = host.wait_for_attempt();
    assert_eq!(next.request.uri().host(), Some("usage.influxdata.com"));
    assert_eq!(host.losses(), [(ReportKind::Stats, LossReason::Refused, 1)]);
    host.answer(&next, 410);
    assert!(matches!(host.step(), Step::Stopped));
}

#[test]
fn a_pause_that_the_old_address_asks_for_is_for_its_report_alone_w39() {
    let (mut host, attempt) = moved();
    host.answer_with(&attempt, 503, 3600);
    host.push_stats();
    let next = host.wait_for_attempt();
    assert_eq!(next.request.uri().host(), Some("usage.influxdata.com"));
    assert_eq!(host.now, host.started);
    host.answer(&next, 201);
    let asked = host.now;
    let retry = host.wait_for_attempt();
    assert_eq!((key(&retry), retry.number), (key(&attempt), 2));
    assert_eq!(retry.request.uri(), attempt.request.uri());
    assert!(host.now - asked >= HOUR, "{:?}", host.now - asked);
}

#[test]
fn a_pause_that_the_old_address_asked_for_goes_on_for_what_has_to_go_there() {
    let mut host = Host::new();
    host.push_stats();
    let attempt = host.wait_for_attempt();
    host.answer_with(&attempt, 503, 3600);
    let asked = host.now;
    host.reporter.set_api(Api::new(BaseUrl::PRODUCTION));
    let retry = host.wait_for_attempt();
    assert_eq!(retry.request.uri(), attempt.request.uri());
    assert!(host.now - asked >= HOUR, "{:?}", host.now - asked);
}

#[test]
fn a_report_that_goes_to_the_old_address_again_backs_off() {
    let (mut host, mut attempt) = moved();
    let mut waits = Vec::new();
    for number in 2..=4 {
        let failed = host.now;
        host.answer(&attempt, 503);
        attempt = host.wait_for_attempt();
        assert_eq!(attempt.number, number);
        waits.push(host.now - failed);
    }
    assert!(waits.iter().all(|wait| *wait > Duration::ZERO), "{waits:?}");
    host.answer(&attempt, 503);
    host.step();
    assert_eq!(host.losses(), [(ReportKind::Stats, LossReason::Exhausted, 1)]);
}

#[test]
fn success_at_the_old_address_is_no_news_of_the_new_one() {
    let mut longest = Duration::ZERO;
    for seed in 0..50 {
        let mut host = Host::start(Config::new(), State::new(), seed);
        host.push_stats();
        let old = host.wait_for_attempt();
        host.reporter.on_failure(host.now, old.id, TransportError::timeout("late"));
        let elsewhere = Api::new(BaseUrl::PRODUCTION);
        host.reporter.set_api(elsewhere);
        let mut delivered = false;
        // Six failures of the new address, with a success of the old one in between.
        host.push_stats();
        for _ in 0..7 {
            let attempt = host.wait_for_attempt();
            if attempt.request.uri() == old.request.uri() {
                host.answer(&attempt, 201);
                delivered = true;
            } else {
                host.answer(&attempt, 503);
                host.push_stats();
            }
        }
        let failed = host.now;
        host.wait_for_attempt();
        longest = longest.max(host.now - failed);
        assert!(delivered);
    }
    assert!(longest > 80 * SECOND, "{longest:?}");
}

#[test]
fn an_answer_is_judged_by_the_api_that_was_asked() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.reporter.set_api(Api::new(BaseUrl::PRODUCTION).with_response_limit(0));
    let mut answer = crate::support::answer(422);
    *answer.body_mut() = r#"{"error":"no"}"#.into();
    host.reporter.on_response(host.now, attempt.id, answer);
    host.step();
    let error = host.reporter.status().last_error.unwrap().to_string();
    assert!(error.ends_with(": no"), "{error}");
}

#[test]
fn a_report_that_the_new_api_cannot_say_is_lost_and_told() {
    let mut host = Host::new();
    host.wait_for_collect();
    host.submit();
    host.reporter.set_api(api().with_request_limit(3));
    assert!(matches!(host.step(), Step::Wait(_)));
    assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Unbuildable, 1)]);
    assert!(host.reporter.status().last_error.is_some());

    // The next one can be said again.
    host.reporter.set_api(api());
    host.wait_for_usage();
}

#[test]
fn a_token_that_was_refused_can_be_replaced() {
    let mut host = Host::new();
    host.reporter.set_api(api_with("wrong"));
    let refused = host.wait_for_usage();
    host.answer(&refused, 401);
    host.reporter.set_api(api_with("right"));
    host.reporter.report_now(host.now + Duration::from_secs(1));
    host.pass(MINUTE);
    let attempt = host.wait_for_usage();
    assert_eq!(token(&attempt), Some("right"));
    host.answer(&attempt, 201);
    host.step();
    assert_eq!(host.loud(), ["outage_began", "outage_ended"]);
}
