//! What a reporter is made with: configuration, consent, identity, state.

use std::time::{Duration, SystemTime};

use usage_proto::{Server, TransportError};
use usage_reporter::{
    Action, Config, ConfigError, Consent, ConsentRule, Identity, LossReason, PendingLimits,
    ReportKind, Reporter, RetryPolicy, State,
};

use crate::support::{
    Host, MINUTE, PERIOD, SECOND, Step, acknowledged, api, clock, key, seed_of, stored, wall_of_day,
};

fn refused(config: Config) -> String {
    let made = Reporter::new(config, api(), State::new(), seed_of(0), clock(), wall_of_day());
    made.unwrap_err().to_string()
}

#[test]
fn a_configuration_that_makes_no_sense_is_a_typed_error() {
    let zero = Duration::ZERO;
    let config = Config::new();
    for (config, field) in [
        (Config::every(zero), "period"),
        (config.clone().retry(RetryPolicy::new().attempts(0)), "retry.attempts"),
        (config.clone().retry(RetryPolicy::new().base(zero)), "retry.base"),
        (config.clone().pending(PendingLimits::new().items(0)), "pending.items"),
        (config.clone().pending(PendingLimits::new().bytes(0)), "pending.bytes"),
        (config.clone().attempt_timeout(zero), "attempt_timeout"),
        (config.clone().collect_timeout(zero), "collect_timeout"),
    ] {
        assert!(refused(config).contains(&format!("`{field}` is zero")), "{field}");
    }
    assert!(refused(Config::every(MINUTE).jitter(61 * SECOND)).contains("the jitter of 61s"));
    let spread = Config::every(MINUTE).start_spread(Duration::MAX);
    assert!(refused(spread).contains("which is above the period of 60s"));
    let cap = RetryPolicy::new().cap(SECOND);
    assert!(refused(config.clone().retry(cap)).contains("a cap of 1s below its base of 5s"));

    let made =
        Reporter::new(Config::every(zero), api(), State::new(), seed_of(0), clock(), wall_of_day());
    assert!(matches!(made, Err(ConfigError::Zero { field: "period", .. })));
}

#[test]
fn what_the_documentation_says_is_the_default() {
    let config = Config::default();
    assert_eq!(config, Config::every(12 * 60 * MINUTE));
    assert_eq!(config.start_spread, 10 * MINUTE);
    assert_eq!(config.jitter, 60 * MINUTE);
    assert_eq!(config.attempt_timeout, 2 * usage_proto::Deadlines::new().total);
    assert_eq!(config.collect_timeout, MINUTE);
    assert_eq!(config.retry, RetryPolicy::new().attempts(4).base(5 * SECOND).cap(5 * MINUTE));
    assert_eq!(Config::every(SECOND).start_spread, SECOND);
}

/// The decision of an environment, and the rule that made it.
fn consent(setting: Option<bool>, environment: &[(&str, &str)]) -> (bool, String) {
    let consent = Consent::resolve(setting, "PRODUCT_REPORTING", |name| {
        environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    });
    let rule = match consent.rule() {
        ConsentRule::Setting => "setting".to_owned(),
        ConsentRule::Variable { name, understood, .. } => format!("{name} {understood}"),
        ConsentRule::DoNotTrack => "DO_NOT_TRACK".to_owned(),
        ConsentRule::Default => "default".to_owned(),
        other => panic!("{other:?}"),
    };
    (consent.is_on(), rule)
}

#[test]
fn consent_is_decided_by_the_strongest_rule_that_says_something() {
    let tracked = ("DO_NOT_TRACK", "1");
    let variable = |value| ("PRODUCT_REPORTING", value);
    for (setting, environment, on, rule) in [
        (None, &[][..], true, "default"),
        (None, &[tracked], false, "DO_NOT_TRACK"),
        (None, &[("DO_NOT_TRACK", "please")], false, "DO_NOT_TRACK"),
        // To switch the wish off is not to wish the opposite.
        (None, &[("DO_NOT_TRACK", "0")], true, "default"),
        (None, &[("DO_NOT_TRACK", " False ")], true, "default"),
        (None, &[("DO_NOT_TRACK", " ")], true, "default"),
        (None, &[tracked, variable("on")], true, "PRODUCT_REPORTING true"),
        (None, &[variable(" YES ")], true, "PRODUCT_REPORTING true"),
        (None, &[variable("0")], false, "PRODUCT_REPORTING true"),
        (None, &[variable("off")], false, "PRODUCT_REPORTING true"),
        (None, &[variable("disabled")], false, "PRODUCT_REPORTING false"),
        (None, &[variable(""), tracked], false, "DO_NOT_TRACK"),
        (Some(true), &[tracked, variable("off")], true, "setting"),
        (Some(false), &[variable("on")], false, "setting"),
    ] {
        assert_eq!(consent(setting, environment), (on, rule.to_owned()), "{environment:?}");
    }
}

#[test]
fn consent_says_itself_which_rule_decided() {
    let say = |value: &str| {
        let value = value.to_owned();
        Consent::resolve(None, "P", |name| (name == "P").then(|| value.clone())).to_string()
    };
    assert_eq!(say("1"), "usage reporting is on: P says so");
    assert_eq!(
        say("x"),
        "usage reporting is off: P has a value that is neither on nor off, which counts as off"
    );
    assert_eq!(say(""), "usage reporting is on: that is the default");
}

#[test]
fn an_identity_is_minted_once_and_stored_before_anything_is_sent() {
    let mut state = State::new();
    let identity = Identity::single_node(&mut state, *b"0123456789abcdef0123456789ABCDEF");
    assert_eq!(identity.cluster_id, "30313233343536373839616263646566");
    assert_eq!(identity.server_id, "30313233343536373839414243444546");

    let mut host = Host::start(Config::new(), state, 0);
    host.push_stats();
    let Action::Persist(snapshot) = host.reporter.poll(host.now) else { panic!("not stored") };
    let mut disk = stored(&snapshot.into_state(host.wall));
    assert!(matches!(host.step(), Step::Send(_)));

    let again = Identity::single_node(&mut disk, [0; 32]);
    assert_eq!(again, identity);
    // Nothing has changed: nothing is to be stored.
    let mut host = Host::start(Config::new(), disk, 0);
    assert!(matches!(host.reporter.poll(host.now), Action::Wait(_)));
}

/// Of the original nothing is left: neither its ids nor its slot, its key and its acknowledgement.
#[test]
fn a_copy_that_is_given_a_new_identity_is_as_good_as_new() {
    let full = r#"{"version":1,"server_id":"s","cluster_id":"c","acknowledged_unix_ns":5,"unacknowledged_key":"000102030405060708090a0b0c0d0e0f","failures":3,"next_due_unix_ns":9}"#;
    for text in [full, r#"{"version":1}"#, r#"{"version":1,"server_id":"s"}"#] {
        let mut state: State = serde_json::from_str(text).unwrap();
        state.new_identity();
        assert!(state.is_unsaved(), "it is stored before anything is sent");
        assert_eq!(stored(&state), State::new());
        let identity = Identity::single_node(&mut state, *b"0123456789abcdef0123456789ABCDEF");
        assert_eq!(identity.cluster_id, "30313233343536373839616263646566");
        assert_eq!(identity.server_id, "30313233343536373839414243444546");
        // It draws a slot of its own, like any host that is new.
        let mut host = Host::start(Config::new(), state, 0);
        assert!(matches!(host.step(), Step::Wait(_)));
        assert_eq!(host.disk.server_id(), Some(&*identity.server_id));
        assert_eq!((host.disk.failures(), host.disk.unacknowledged_key()), (0, None));
    }
}

#[test]
fn a_host_with_a_cluster_of_its_own_mints_the_server_alone() {
    let mut state = State::new();
    let identity = Identity::new(&mut state, "clus1", [0x2a; 16]);
    assert_eq!(identity.cluster_id, "clus1");
    assert_eq!(state.server_id(), Some(identity.server_id.as_str()));
    assert_eq!(state.cluster_id(), None);
}

#[test]
fn a_state_survives_its_way_to_the_disk() {
    let text = r#"{"version":1,"server_id":"s","cluster_id":"c","acknowledged_unix_ns":-5,"unacknowledged_key":"000102030405060708090a0b0c0d0e0f","failures":3,"next_due_unix_ns":9}"#;
    let state: State = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&state).unwrap(), text);
    assert_eq!(state.acknowledged(), Some(SystemTime::UNIX_EPOCH - Duration::from_nanos(5)));
    assert_eq!(state.next_due(), Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(9)));
    assert_eq!(state.unacknowledged_key().unwrap().to_bytes()[15], 15);
    assert_eq!((state.server_id(), state.failures()), (Some("s"), 3));
}

#[test]
fn a_state_that_is_none_is_an_error_and_not_a_new_one() {
    for (text, message) in [
        ("", "EOF"),
        ("{}", "missing field `version`"),
        (r#"{"version":2}"#, "written by another release"),
        (r#"{"version":1,"server_id":" "}"#, "`server_id` is blank"),
        (r#"{"version":1,"cluster_id":""}"#, "`cluster_id` is blank"),
        (r#"{"version":1,"unacknowledged_key":"0"}"#, "not 32 hexadecimal digits"),
        (r#"{"version":1,"unacknowledged_key":"+00102030405060708090a0b0c0d0e0f"}"#, "not 32"),
        (r#"{"version":1,"acknowledged_unix_ns":99999999999999999999}"#, "invalid"),
    ] {
        let error = serde_json::from_str::<State>(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn times_that_no_stamp_can_say_are_no_panic() {
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40);
    for wall in [far, before] {
        let mut host = Host::start_at(Config::new(), State::new(), 0, wall);
        host.deliver();
        assert!(host.disk.acknowledged().is_some());
        let mut host = host.restart(SECOND);
        host.deliver();
    }
}

/// A clock at 1970 for the first seconds, or a certificate store that is mounted late.
#[test]
fn tls_that_fails_for_good_at_a_start_is_tried_once_more_within_minutes() {
    let tls = [
        || TransportError::certificate("expired"),
        || TransportError::no_authorities("no such file"),
        || TransportError::tls("?").not_retryable(),
    ];
    for fail in tls {
        // Usage that is overdue, and the registration.
        let mut host = Host::start(Config::new(), acknowledged(wall_of_day() - 2 * PERIOD), 3);
        host.reporter.register(host.now, &Server::new()).unwrap();
        for _ in 0..2 {
            let first = host.wait_for_attempt();
            let failed = host.now;
            host.reporter.on_failure(host.now, first.id, fail());
            host.step();
            assert_eq!(host.loud(), [""; 0], "the second chance comes before the alarm");
            let again = host.wait_for_attempt();
            assert_eq!((again.report, again.number), (first.report, 2));
            assert_eq!(key(&again), key(&first));
            let wait = host.now - failed;
            assert!((MINUTE..4 * MINUTE).contains(&wait), "{wait:?}");
            host.answer(&again, 201);
        }
        assert_eq!(host.losses(), []);
    }
}

#[test]
fn a_second_failure_of_tls_is_final_and_so_is_any_other_refusal() {
    let overdue = || Host::start(Config::new(), acknowledged(wall_of_day() - 2 * PERIOD), 3);
    let expired = || TransportError::certificate("expired");
    let refused = [(ReportKind::Usage, LossReason::Refused, 1)];

    let mut host = overdue();
    for number in 1..=2 {
        let attempt = host.wait_for_usage();
        assert_eq!(attempt.number, number);
        host.reporter.on_failure(host.now, attempt.id, expired());
    }
    host.step();
    assert_eq!(host.losses(), refused);
    assert_eq!(host.loud(), ["outage_began"]);

    // A refusal is not a matter of the clock.
    let mut host = overdue();
    let attempt = host.wait_for_usage();
    host.answer(&attempt, 422);
    host.step();
    assert_eq!(host.losses(), refused);

    // A program that has run for hours has the right time, or will not have it in minutes.
    let mut host = overdue();
    host.deliver();
    let attempt = host.wait_for_usage();
    host.reporter.on_failure(host.now, attempt.id, expired());
    host.step();
    assert_eq!(host.losses(), refused);

    // Who wants one attempt gets one.
    let config = Config::new().retry(RetryPolicy::new().attempts(1));
    let mut host = Host::start(config, acknowledged(wall_of_day() - 2 * PERIOD), 3);
    let attempt = host.wait_for_usage();
    host.reporter.on_failure(host.now, attempt.id, expired());
    host.step();
    assert_eq!(host.losses(), refused);
}
