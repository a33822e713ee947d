//! What a host writes to its log.

use usage_proto::TransportError;
use usage_reporter::{Config, Event, Level, ReportKind, RetryPolicy, State};

use crate::support::{HOUR, Host, MINUTE, PERIOD, SECOND, Step, api_with};

#[test]
fn an_outage_has_one_warning_when_it_begins_and_one_notice_when_it_ends() {
    let mut host = Host::new();
    for _ in 0..4 {
        assert!(!host.reporter.status().in_outage);
        let attempt = host.wait_for_usage();
        host.reporter.on_failure(host.now, attempt.id, TransportError::connect("refused"));
    }
    assert!(host.reporter.status().in_outage);
    let began = host.now;
    for _ in 0..400 {
        let attempt = host.wait_for_usage();
        host.answer(&attempt, 503);
    }
    assert!(host.now - began > 50 * 24 * HOUR);
    host.step();
    assert_eq!(host.loud(), ["outage_began"]);

    host.deliver();
    assert_eq!(host.loud(), ["outage_began", "outage_ended"]);
    let lasted = host.now - began;
    let ended = host.events.iter().find(|event| event.name() == "outage_ended").unwrap();
    assert_eq!(
        ended.to_string(),
        format!(
            "usage reports are getting through again after {} s and 404 failed attempts",
            lasted.as_secs()
        )
    );
    assert!(!host.reporter.status().in_outage);
}

#[test]
fn an_event_says_why_an_attempt_failed() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.reporter.on_failure(
        host.now,
        attempt.id,
        TransportError::tls("the reason of the failure"),
    );
    host.step();
    let failed = host.events.iter().find(|event| event.name() == "attempt_failed").unwrap();
    let text = failed.to_string();
    assert_eq!(text.matches("the reason of the failure").count(), 1, "{text}");
}

#[test]
fn a_failure_that_a_retry_mends_is_not_worth_a_warning() {
    let mut host = Host::new();
    for _ in 0..3 {
        let attempt = host.wait_for_usage();
        host.answer(&attempt, 503);
    }
    host.deliver();
    assert_eq!(host.loud(), [""; 0]);
}

#[test]
fn an_api_that_refuses_every_other_report_gets_one_warning_a_period() {
    let mut host = Host::new();
    let (mut warnings, mut answers) = (0, 0);
    while host.now < host.started + 10 * PERIOD {
        host.push_stats();
        if let Step::Send(attempt) = host.step() {
            host.answer(&attempt, if answers % 2 == 0 { 200 } else { 422 });
            answers += 1;
        }
        host.pass(10 * SECOND);
        host.step();
        warnings += host.loud().iter().filter(|name| **name == "outage_began").count();
        host.events.clear();
    }
    assert!((5..=10).contains(&warnings), "{warnings}");
}

#[test]
fn reports_that_are_overtaken_before_their_last_attempt_are_an_outage_too() {
    // A pause that is longer than the period, and a period that is shorter than the back-off.
    let minutes = Config::every(MINUTE);
    for (config, retry_after) in [(Config::new(), 86_400), (minutes, 0)] {
        let period = config.period;
        let mut host = Host::with(config);
        let mut failed = None;
        while host.loud().is_empty() {
            let attempt = host.wait_for_usage();
            let first = *failed.get_or_insert(host.now);
            assert!(host.now - first <= 4 * period.max(24 * HOUR), "nobody is told");
            assert!(period > MINUTE || host.now - first <= 10 * MINUTE, "nobody is told");
            host.answer_with(&attempt, 503, retry_after);
            host.step();
        }
        assert_eq!(host.loud(), ["outage_began"]);
        assert!(host.reporter.status().in_outage);
        assert!(host.disk.failures() > 0);
        for _ in 0..30 {
            let attempt = host.wait_for_usage();
            host.answer_with(&attempt, 503, retry_after);
            host.step();
        }
        assert_eq!(host.loud(), ["outage_began"]);
        assert_eq!(host.disk.failures(), host.reporter.status().lost);
    }
}

#[test]
fn numbers_that_replace_a_report_that_was_tried_give_it_up() {
    let mut host = Host::new();
    host.submit();
    host.submit();
    host.step();
    // Not tried: nobody has lost anything.
    assert_eq!(host.loud(), [""; 0]);
    let attempt = host.wait_for_usage();
    host.answer_with(&attempt, 503, 3600);
    host.submit();
    host.step();
    assert_eq!(host.loud(), ["outage_began"]);
    assert_eq!(host.disk.failures(), 1);
}

#[test]
fn failures_that_go_on_for_a_period_are_an_outage_whatever_becomes_of_the_report() {
    let retry = RetryPolicy::new().attempts(u32::MAX).cap(HOUR);
    let mut host = Host::with(Config::new().retry(retry));
    host.push_stats();
    let mut began = None;
    while host.loud().is_empty() {
        match host.next() {
            Step::Send(attempt) => {
                host.answer(&attempt, 503);
                began.get_or_insert(host.now);
            }
            Step::Collect => host.reporter.collect_failed(host.now, "no numbers"),
            step => panic!("{step:?}"),
        }
        host.step();
    }
    assert!((PERIOD..PERIOD + 2 * HOUR).contains(&(host.now - began.unwrap())));
}

/// Each list is what the API answers to usage and to statistics, both once a period.
#[test]
fn an_api_that_refuses_one_kind_for_ever_gets_no_line_for_each_period() {
    for (usage, stats, loud) in [
        (422, 200, &["outage_began"][..]),
        (503, 200, &["outage_began"]),
        (200, 422, &["outage_began", "outage_ended"]),
        (422, 422, &["outage_began"]),
    ] {
        let mut host = Host::new();
        while host.now < host.started + 20 * PERIOD {
            let attempt = host.wait_for_attempt();
            let is_usage = attempt.report == ReportKind::Usage;
            host.answer(&attempt, if is_usage { usage } else { stats });
            if is_usage {
                host.push_stats();
            }
        }
        host.step();
        assert_eq!(host.loud(), loud, "usage {usage}, statistics {stats}");
    }
}

#[test]
fn usage_ends_an_outage_and_what_fails_on_is_news_again_after_a_success() {
    let mut host = Host::new();
    let stats = |host: &mut Host, status| {
        host.push_stats();
        let attempt = host.wait_for_attempt();
        assert_eq!(attempt.report, ReportKind::Stats);
        host.answer(&attempt, status);
        host.step();
    };
    stats(&mut host, 422);
    assert_eq!(host.loud(), ["outage_began"]);
    host.deliver();
    assert_eq!(host.loud(), ["outage_began", "outage_ended"]);
    stats(&mut host, 422);
    host.deliver();
    stats(&mut host, 422);
    stats(&mut host, 200);
    assert_eq!(host.loud(), ["outage_began", "outage_ended"]);
    host.deliver();
    stats(&mut host, 422);
    assert_eq!(host.loud(), ["outage_began", "outage_ended", "outage_began"]);
    // Usage was never in it: the statistics alone end it.
    stats(&mut host, 200);
    assert_eq!(host.loud().last(), Some(&"outage_ended"));
}

#[test]
fn gone_is_a_warning_in_an_outage_too_and_says_that_it_is_the_end() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 422);
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 410);
    assert!(matches!(host.step(), Step::Stopped));
    assert_eq!(host.loud(), ["outage_began", "gone"]);
    let gone = host.events.iter().find(|event| event.name() == "gone").unwrap();
    assert_eq!(gone.level(), Level::Warn);
    assert!(gone.to_string().contains("stopped until the next start"), "{gone}");
    assert_eq!(host.disk.failures(), 2);
}

#[test]
fn events_name_their_level_and_themselves() {
    let mut host = Host::new();
    host.reporter.set_api(api_with("secret"));
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 422);
    host.deliver();
    let told: Vec<_> =
        host.events.iter().map(|event| (event.level(), event.name(), event.to_string())).collect();
    let expected = [
        (
            Level::Debug,
            "attempt_failed",
            "attempt 1 to deliver usage failed: the Usage API answered 422 Unprocessable Entity \
             without a message",
        ),
        (
            Level::Warn,
            "outage_began",
            "usage reports are not getting through: the Usage API answered 422 Unprocessable \
             Entity without a message",
        ),
        (Level::Debug, "lost", "1 × usage lost: refused"),
    ];
    for (told, expected) in told.iter().zip(expected) {
        assert_eq!((told.0, told.1, told.2.as_str()), expected);
    }
    let names: Vec<_> = told.iter().map(|event| event.1).collect();
    assert_eq!(names, ["attempt_failed", "outage_began", "lost", "outage_ended", "delivered"]);
}

#[test]
fn a_failed_attempt_says_when_the_next_one_comes() {
    let mut host = Host::new();
    let attempt = host.wait_for_usage();
    host.answer_with(&attempt, 503, 100);
    host.step();
    let [Event::AttemptFailed { retry_in: Some(wait), .. }] = host.events[..] else {
        panic!("{:?}", host.events)
    };
    assert!(matches!(host.step(), Step::Wait(until) if until == host.now + wait));
}

#[test]
fn the_status_tells_how_it_goes() {
    let mut host = Host::start(Config::new(), State::new(), 1);
    let status = host.reporter.status();
    assert!(status.last_success.is_none() && status.last_error.is_none());
    let due = host.wait_for_collect();
    assert_eq!(status.next_due, Some(host.started + due));

    host.submit();
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 500);
    assert!(host.reporter.status().last_error.is_some());
    assert_eq!(host.reporter.status().pending, 1);

    let attempt = host.wait_for_usage();
    host.answer(&attempt, 201);
    let status = host.reporter.status();
    assert_eq!(status.last_success, Some(host.now));
    assert!(status.last_error.is_none());
    assert!(status.next_due.unwrap() >= host.now + PERIOD);
}

#[test]
fn no_secret_is_shown() {
    let mut host = Host::new();
    host.reporter.set_api(api_with("open-sesame"));
    let attempt = host.wait_for_usage();
    let shown = format!("{:?} {attempt:?} {:?}", host.reporter, host.events);
    assert!(!shown.contains("open-sesame"), "{shown}");
    // The seed is all 0x5e.
    assert!(!format!("{:?}", host.reporter).contains("94, 94"));
}
