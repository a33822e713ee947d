//! A token, or another address, that comes while the reporter runs.

use std::time::Duration;

use usage_proto::{Api, BaseUrl, TOKEN_HEADER, TransportError};
use usage_reporter::{Attempt, LossReason, ReportKind};

use crate::support::{HOUR, Host, MINUTE, api, api_with, key};

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
        let asked = host.now;
        host.wait_for_attempt();
        assert_eq!(host.now - asked >= HOUR, waits);
    }
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
    assert!(matches!(host.step(), crate::support::Step::Wait(_)));
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
