//! The switches that make a test bench of the server.

use std::time::Duration;

use usage_server::{FailRule, Faults, InvalidFailRule};

use crate::client::{
    Client, Request, SERVER, STATS, USAGE, get, post, start, start_with, temporary, wait_until,
};

const TARGET: &str = "/api/v1/usage/influxdb";

#[test]
fn a_rule_is_read_from_its_text() {
    for (text, status, times) in
        [("503:3", 503, Some(3)), ("500", 500, None), ("204:1", 204, Some(1))]
    {
        let rule: FailRule = text.parse().unwrap();
        assert_eq!(rule, FailRule::new(status, times).unwrap());
        assert_eq!(rule.to_string(), text);
    }
    for text in ["", "abc", "99", "100", "199", "1000", ":3", "-503"] {
        let error = text.parse::<FailRule>().unwrap_err();
        assert!(matches!(error, InvalidFailRule::Status { .. }), "{text}: {error}");
    }
    for text in ["503:", "503:0", "503:x", "503:-1", "503:1:2"] {
        let error = text.parse::<FailRule>().unwrap_err();
        assert!(matches!(error, InvalidFailRule::Times { .. }), "{text}: {error}");
    }
}

#[test]
fn a_counted_failure_ends() {
    let server = start();
    server.faults().fail(Some("503:3".parse().unwrap()));
    let mut client = Client::connect(&server);
    let answers: Vec<_> = (0..4).map(|_| client.send(&Request::post(TARGET, USAGE))).collect();
    assert_eq!(
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>(),
        [503, 503, 503, 201]
    );
    assert!(answers[0].error().contains("fault switch"), "{}", answers[0].error());
    assert_eq!(answers[0].header("retry-after"), None);
    // Nothing of a failed request is stored.
    assert_eq!(server.store().usage().read_all().unwrap().len(), 1);
}

#[test]
fn an_uncounted_failure_goes_on_until_it_is_cleared() {
    let faults = Faults::new();
    faults.fail(Some("500".parse().unwrap()));
    let server = start_with(temporary().faults(faults.clone()));
    for (target, body) in
        [("/api/v1/servers", SERVER), ("/api/v1/stats/p", STATS), (TARGET, USAGE), (TARGET, "bad")]
    {
        assert_eq!(post(&server, target, body).status, 500, "{target}");
    }
    faults.clear();
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
}

/// Even a refusal that comes early elsewhere: an outage asks for no token.
#[test]
fn a_failure_comes_before_the_token_is_looked_at() {
    let server = start();
    server.faults().fail(Some("503".parse().unwrap()));
    assert_eq!(Request::post(TARGET, USAGE).token("unknown").send(&server).status, 503);
}

#[test]
fn other_routes_stay_healthy() {
    let server = start();
    server.faults().fail(Some("500".parse().unwrap()));
    assert_eq!(get(&server, "/healthz").status, 200);
    assert_eq!(post(&server, "/nothing", USAGE).status, 404);
    assert_eq!(get(&server, TARGET).status, 405);
}

#[test]
fn a_failure_can_say_when_to_come_again() {
    let server = start();
    server.faults().fail(Some("429".parse().unwrap()));
    for value in ["30", "Sun, 06 Nov 1994 08:49:37 GMT", "nonsense", "18446744073709551615"] {
        server.faults().retry_after(Some(value)).unwrap();
        assert_eq!(post(&server, TARGET, USAGE).header("retry-after"), Some(value));
    }
    server.faults().fail(None);
    let healthy = post(&server, TARGET, USAGE);
    assert_eq!((healthy.status, healthy.header("retry-after")), (201, None));
}

#[test]
fn a_redirect_points_away() {
    let server = start();
    server.faults().redirect(Some("http://localhost:1/elsewhere")).unwrap();
    let answer = post(&server, TARGET, USAGE);
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, Some("http://localhost:1/elsewhere"))
    );
    assert!(server.store().usage().read_all().unwrap().is_empty());

    // A failure comes first, and takes the location with it if it is a redirect.
    server.faults().fail(Some("301:1".parse().unwrap()));
    let answer = post(&server, TARGET, USAGE);
    assert_eq!(
        (answer.status, answer.header("location")),
        (301, Some("http://localhost:1/elsewhere"))
    );
    server.faults().fail(Some("502:1".parse().unwrap()));
    let answer = post(&server, TARGET, USAGE);
    assert_eq!((answer.status, answer.header("location")), (502, None));
    assert_eq!(post(&server, TARGET, USAGE).status, 307);

    server.faults().redirect(None).unwrap();
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
}

#[test]
fn what_can_not_stand_in_a_header_is_refused() {
    let faults = Faults::new();
    let error = faults.redirect(Some("http://h/\r\nX: y")).unwrap_err();
    assert!(error.to_string().contains("redirect URL"), "{error}");
    assert!(faults.retry_after(Some("1\n")).is_err());
}

#[test]
fn a_success_can_be_feigned() {
    let server = start();
    server.faults().fail(Some("202".parse().unwrap()));
    let answer = post(&server, TARGET, USAGE);
    assert_eq!((answer.status, answer.body.as_str()), (202, "{}"));
    server.faults().fail(Some("204".parse().unwrap()));
    let mut client = Client::connect(&server);
    for _ in 0..2 {
        let answer = client.send(&Request::post(TARGET, USAGE));
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    assert!(server.store().usage().read_all().unwrap().is_empty());
}

/// The report is stored before the wait, so a client that gives up has been heard.
#[test]
fn a_delayed_answer_comes_after_the_row() {
    let server = start();
    server.faults().delay(Duration::from_secs(3600));
    let request = Request::post(TARGET, USAGE).key("the-same");
    let mut impatient = Client::connect(&server);
    impatient.write(request.to_bytes());
    wait_until("the report is stored", || !server.store().usage().read_all().unwrap().is_empty());
    drop(impatient);

    server.faults().delay(Duration::from_millis(10));
    assert_eq!(request.send(&server).status, 201);
    assert_eq!(server.store().usage().read_all().unwrap().len(), 1);
}

#[test]
fn a_failure_can_be_delayed() {
    let server = start();
    server.faults().delay(Duration::from_millis(10));
    server.faults().fail(Some("503:1".parse().unwrap()));
    assert_eq!(post(&server, TARGET, USAGE).status, 503);
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
}
