//! What has left is kept for the owner of the machine to read: the same bytes, and no secret.

use usage_proto::{Api, BaseUrl, Token, TransportError, Usage, UsageData};
use usage_reporter::{Attempt, Config, LastSent, LossReason, ReportKind, State};

use crate::support::{HOUR, Host, MINUTE, SECOND, Step, acknowledged, api_with, page, wall_of_day};

const SECRET: &str = "open-sesame-1234";

/// A host that reports with a token, and its first attempt at usage.
fn sent() -> (Host, Attempt) {
    let mut host = Host::new();
    host.reporter.set_api(api_with(SECRET));
    let attempt = host.wait_for_usage();
    (host, attempt)
}

fn shows(sent: &LastSent, attempt: &Attempt) {
    let request = &attempt.request;
    assert_eq!(sent.url(), request.uri().to_string());
    assert_eq!(sent.body().as_bytes(), &request.body()[..]);
    assert!(sent.is_whole());
    assert_eq!(sent.body_bytes(), request.body().len() as u64);
    for (name, value) in request.headers() {
        let shown = sent.headers().iter().find(|(shown, _)| *shown == name.as_str());
        let (_, shown) = shown.unwrap_or_else(|| panic!("{name} is not shown"));
        let is_token = name.as_str() == "x-authorization";
        assert_eq!(shown == "[redacted]", is_token);
        assert!(is_token || shown.as_bytes() == value.as_bytes());
    }
    let json = serde_json::to_string(sent).unwrap();
    for text in [sent.to_string(), format!("{sent:?}"), format!("{sent:#?}"), json] {
        assert!(!text.contains(SECRET) && text.contains("[redacted]"), "{text}");
    }
}

#[test]
fn a_report_is_kept_as_it_left_with_its_time_and_its_answer() {
    let (mut host, attempt) = sent();
    host.step();
    assert_eq!(host.last_sent, None, "it has no answer yet");
    let left = host.wall;
    host.pass(7 * SECOND);
    host.answer(&attempt, 201);
    host.step();
    let kept = host.last_sent.clone().unwrap();
    shows(&kept, &attempt);
    assert_eq!(kept.sent(), left);
    assert_eq!((kept.status(), kept.error()), (Some(201), None));
    assert!(kept.to_string().ends_with("the Usage API answered 201"), "{kept}");

    let text = serde_json::to_string(&kept).unwrap();
    assert!(text.starts_with(r#"{"version":1,"sent_unix_ns":"#), "{text}");
    assert_eq!(serde_json::from_str::<LastSent>(&text).unwrap(), kept);
    let other = text.replace(r#""version":1"#, r#""version":2"#);
    let error = serde_json::from_str::<LastSent>(&other).unwrap_err().to_string();
    assert!(error.contains("this program knows version 1"), "{error}");
}

#[test]
fn what_the_api_said_is_kept_too() {
    type Answer = fn(&mut Host, &Attempt);
    let answers: [(Answer, Option<u16>, &str); 5] = [
        (|host, attempt| host.answer(attempt, 422), Some(422), "the Usage API answered 422"),
        (|host, attempt| host.answer(attempt, 410), Some(410), "the Usage API answered 410"),
        (
            |host, attempt| {
                let response = http::Response::builder().status(401);
                let body = format!(r#"{{"error":"no such token: {SECRET}"}}"#);
                let response = response.body(bytes::Bytes::from(body)).unwrap();
                host.reporter.on_response(host.now, attempt.id, response);
            },
            Some(401),
            "no such token: ",
        ),
        (
            |host, attempt| {
                let retried = attempt.clone();
                host.reporter.on_response(host.now, retried.id, page(200));
                for _ in 1..4 {
                    let attempt = host.wait_for_usage();
                    host.reporter.on_response(host.now, attempt.id, page(200));
                }
                // It is stored with what becomes of it.
                host.wait_for_collect();
                host.reporter.collect_failed(host.now, "no numbers");
            },
            Some(200),
            "with a web page",
        ),
        (
            |host, attempt| {
                let mut attempt = attempt.clone();
                for number in 1..=4 {
                    let late = TransportError::timeout("no answer for a minute");
                    host.reporter.on_failure(host.now, attempt.id, late);
                    if number < 4 {
                        attempt = host.wait_for_usage();
                    }
                }
            },
            None,
            "no answer for a minute",
        ),
    ];
    for (answer, status, words) in answers {
        let (mut host, attempt) = sent();
        answer(&mut host, &attempt);
        host.step();
        let kept = host.last_sent.unwrap();
        shows(&kept, &attempt);
        assert_eq!(kept.status(), status);
        assert!(kept.error().is_some_and(|error| error.contains(words)), "{kept:?}");
    }
}

#[test]
fn what_never_left_is_not_shown() {
    let (mut host, attempt) = sent();
    host.answer(&attempt, 201);
    host.step();
    let kept = host.last_sent.clone();
    for _ in 0..2 {
        for _ in 0..4 {
            let attempt = host.wait_for_usage();
            host.reporter.on_failure(host.now, attempt.id, TransportError::connect("refused"));
        }
        host.step();
    }
    assert_eq!(host.losses(), [(ReportKind::Usage, LossReason::Exhausted, 1); 2]);
    assert_eq!(host.last_sent, kept);

    // Statistics and registrations are not usage.
    let mut host = Host::new();
    host.push_stats();
    let attempt = host.wait_for_attempt();
    host.answer(&attempt, 200);
    host.step();
    assert_eq!(host.last_sent, None);
}

#[test]
fn a_report_whose_answer_a_close_did_not_wait_for_is_kept() {
    let (mut host, attempt) = sent();
    host.reporter.close(host.now + 5 * SECOND);
    host.pass(5 * SECOND);
    assert!(matches!(host.step(), Step::Stopped));
    let kept = host.last_sent.unwrap();
    shows(&kept, &attempt);
    assert_eq!((kept.status(), kept.sent()), (None, host.wall - 5 * SECOND));
    assert!(kept.to_string().ends_with("the answer was not waited for"), "{kept}");

    // An attempt that has no time for another one.
    let (mut host, attempt) = sent();
    host.reporter.close(host.now + 5 * SECOND);
    host.answer_with(&attempt, 503, 60);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.last_sent.unwrap().status(), Some(503));
}

#[test]
fn the_time_is_that_of_the_wall_clock_when_it_is_stored() {
    let mut host = Host::start_at(
        Config::new(),
        acknowledged(wall_of_day() - 30 * HOUR),
        3,
        std::time::UNIX_EPOCH + HOUR,
    );
    let attempt = host.wait_for_usage();
    // The clock is set meanwhile.
    host.wall = wall_of_day();
    host.pass(MINUTE);
    host.answer(&attempt, 201);
    host.step();
    assert_eq!(host.last_sent.unwrap().sent(), wall_of_day());
}

/// At most 64 KiB, whatever is in it.
#[test]
fn what_is_too_long_is_cut() {
    let texts =
        ["x", "\"", "\\", "\u{1}", "\n", "\u{7f}", "ü", "\u{1f600}", "\u{2028}", "\"\\x\u{1}ü"];
    for text in texts {
        for times in [1, 10_000, 40_000, 100_000] {
            let long = text.repeat(times);
            let mut host = Host::start(Config::new(), State::new(), 0);
            let segment = long.chars().take(3000).collect::<String>();
            let path = format!("http://127.0.0.1:1/{}", "p".repeat(9000));
            let api = Api::new(BaseUrl::new(&path).unwrap());
            let api = api.with_application(&format!("{}/1", "a".repeat(3000))).unwrap();
            let token = "t".repeat(3000).parse::<Token>().unwrap();
            host.reporter.set_api(api.with_token(token).unwrap().with_request_limit(1 << 22));
            let usage = Usage::new(segment).data(UsageData::new().tag("text", long));
            let Ok(()) = host.reporter.submit(host.now, &usage) else { continue };
            let attempt = host.wait_for_usage();
            let response = http::Response::builder().status(422);
            let words = serde_json::to_vec(&serde_json::json!({ "error": text.repeat(9000) }));
            let response = response.body(bytes::Bytes::from(words.unwrap())).unwrap();
            host.reporter.on_response(host.now, attempt.id, response);
            host.step();
            let kept = host.last_sent.unwrap();
            for size in [serde_json::to_vec(&kept), serde_json::to_vec_pretty(&kept)] {
                let size = size.unwrap().len();
                assert!(size < 64 * 1024, "{size} bytes with {times} times {text:?}");
            }
            let body = std::str::from_utf8(attempt.request.body()).unwrap();
            assert!(body.starts_with(kept.body()));
            assert_eq!(kept.is_whole(), kept.body() == body);
            assert_eq!(kept.body_bytes(), body.len() as u64);
            assert!(kept.is_whole() || kept.body().len() > 20 * 1024, "{}", kept.body().len());
            assert_eq!(kept.is_whole(), !kept.to_string().contains("[the first of "));
        }
    }
}

#[test]
fn a_report_that_is_cut_says_so() {
    let mut host = Host::new();
    let long = "n".repeat(100_000);
    let usage = Usage::new("influxdb").data(UsageData::new().tag("text", long));
    host.reporter.submit(host.now, &usage).unwrap();
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 201);
    host.step();
    let kept = host.last_sent.unwrap();
    assert!(!kept.is_whole());
    let bytes = attempt.request.body().len();
    assert!(kept.to_string().contains(&format!("[the first of {bytes} bytes]")));
}
