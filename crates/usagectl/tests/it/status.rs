//! `status`: how the reporting goes.

use std::fs;

use crate::reporting::{NUMBERS, Reporting, directory};
use crate::serving::Serving;
use crate::usagectl::{run, write_own};

#[test]
fn it_tells_what_the_state_keeps_while_the_report_goes_on() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    let mut reporting = Reporting::start(&serving.url, &path, &["--verbose"], NUMBERS);
    reporting.wait_for("delivered");
    // The next question for numbers comes after the state was stored.
    reporting.wait_for("delivered");

    let path = path.display().to_string();
    let ran = run(&["status", "--state", &path]).done();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let names: Vec<_> =
        ran.stdout.lines().filter_map(|line| line.split_once("  ")).map(|row| row.0).collect();
    assert_eq!(names, ["reporting", "last success", "next due", "failures"]);
    assert!(ran.stdout.contains("on: that is the default; to switch it off, set USAGE_REPORTING"));
    assert!(ran.stdout.contains("Z, "), "{}", ran.stdout);

    let object = run(&["status", "--state", &path, "--json"]).done().json();
    assert_eq!(object["consent"]["on"], true);
    assert_eq!(object["state"]["failures"], 0);
    assert!(object["state"]["last_success"].as_str().unwrap().ends_with('Z'));
    assert_eq!(reporting.stop().code, Some(0));
}

#[test]
fn it_tells_of_failures_and_of_consent() {
    let serving = Serving::start(&["--fail", "422"]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    let mut reporting = Reporting::start(&serving.url, &path, &["--verbose"], NUMBERS);
    reporting.wait_for("attempt_failed");
    reporting.wait_for("attempt_failed");
    assert_eq!(reporting.stop().code, Some(0));

    let path = path.display().to_string();
    let ran = run(&["status", "--state", &path]).env("DO_NOT_TRACK", "1").done();
    assert!(ran.stdout.starts_with("reporting     off: DO_NOT_TRACK is set\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("last success  never\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("reports were given up"), "{}", ran.stdout);
    let object = run(&["status", "--state", &path, "--json"]).done().json();
    assert!(object["state"]["failures"].as_u64().unwrap() >= 2, "{object}");
}

#[test]
fn a_file_that_is_not_there_or_no_state_is_told() {
    let directory = directory();
    let path = directory.path().join("usage.json");
    let text = path.display().to_string();
    let ran = run(&["status", "--state", &text]).done();
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("none yet: nothing was ever stored in this file"), "{ran:?}");
    assert_eq!(
        run(&["status", "--state", &text, "--json"]).done().json()["state"],
        serde_json::Value::Null
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);

    fs::write(&path, "no state").unwrap();
    let ran = run(&["status", "--state", &text]).done();
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.contains("is not a state of usage reporting"), "{}", ran.stderr);
    let ran = run(&["status", "--state", &text, "--json"]).done();
    assert_eq!(ran.json()["outcome"], "build");
}

/// What left is shown as it was, to whoever runs the machine.
#[test]
fn the_last_report_is_shown_as_it_left() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    let path_text = path.to_str().unwrap();
    let status = |options: &[&str]| {
        let ran = run(&[&["status", "--state", path_text], options].concat()).done();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        ran
    };
    assert!(status(&["--last"]).stdout.contains("no usage report was kept"));

    let token = directory.path().join("token");
    write_own(&token, "open-sesame-1234");
    let options = ["--verbose", "--token-file", token.to_str().unwrap()];
    // What turns the reading direction is shown as an escape.
    let numbers = "[{\"tags\":{\"os\":\"\u{202e}linux\"},\"values\":{\"num_databases\":3}}]";
    let script = format!("echo '{numbers}'");
    let mut reporting = Reporting::start(&serving.url, &path, &options, &script);
    // The server does not know this token.
    reporting.wait_for("attempt_failed");
    assert_eq!(reporting.stop().code, Some(0));

    let shown = status(&["--last"]).stdout;
    let (before, left) = shown.split_once("\nsent ").expect(&shown);
    assert!(before.starts_with("reporting "), "{shown}");
    assert!(left.contains(&format!("POST {}/api/v1/usage/influxdb\n", serving.url)), "{shown}");
    assert!(left.contains("x-authorization: [redacted]\n"), "{shown}");
    assert!(left.contains("idempotency-key: \""), "{shown}");
    assert!(left.contains(r#"[{"tags":{"os":"\u{202e}linux"},"values":{"num_databases":3}}]"#));
    assert!(left.contains("the Usage API answered 401 Unauthorized"), "{shown}");

    let object = status(&["--last", "--json"]).json();
    assert_eq!(object["last_sent"]["status"], 401);
    let body: serde_json::Value =
        serde_json::from_str(object["last_sent"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body[0]["tags"]["os"], "\u{202e}linux");
    assert_eq!(status(&["--json"]).json().get("last_sent"), None);
    let kept = fs::read_to_string(directory.path().join("usage.json.last")).unwrap();
    for text in [shown, object.to_string(), kept] {
        assert!(!text.contains("open-sesame"), "{text}");
    }
}

/// The machine slept, or the program does not run.
#[test]
fn no_report_is_due_in_the_past() {
    let directory = directory();
    let path = directory.path().join("usage.json");
    let path_text = path.to_str().unwrap();
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    for ago in [0, 1_000_000_000, 3 * 86_400 * 1_000_000_000, now] {
        fs::write(&path, format!(r#"{{"version":1,"next_due_unix_ns":{}}}"#, now - ago)).unwrap();
        let ran = run(&["status", "--state", path_text]).done();
        assert!(ran.stdout.contains("next due      now: within minutes"), "{}", ran.stdout);
        assert!(!ran.stdout.contains(" ago"), "{}", ran.stdout);
        let object = run(&["status", "--json", "--state", path_text]).done().json();
        let due = object["state"]["next_due"].as_str().unwrap();
        let due = humantime::parse_rfc3339(due).unwrap();
        let due = due.duration_since(std::time::UNIX_EPOCH).unwrap();
        assert!(u128::from(due.as_secs()) >= now / 1_000_000_000, "{object}");
    }
}

/// Whatever a clock has said.
#[test]
fn no_time_is_too_strange_to_tell() {
    let directory = directory();
    let path = directory.path().join("usage.json");
    for stamp in [i64::MIN, -1, 0, i64::MAX] {
        let text =
            format!(r#"{{"version":1,"acknowledged_unix_ns":{stamp},"next_due_unix_ns":{stamp}}}"#);
        fs::write(&path, text).unwrap();
        let ran = run(&["status", "--state", path.to_str().unwrap()]).done();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{stamp}");
        assert!(ran.stdout.contains("last success  "), "{}", ran.stdout);
        assert_eq!(
            run(&["status", "--json", "--state", path.to_str().unwrap()]).done().code,
            Some(0)
        );
    }
}
