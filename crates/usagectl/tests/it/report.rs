//! `report`: usage on a schedule.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use serde_json::Value;

use crate::report_command::wait_until_gone;
use crate::reporting::{NUMBERS, Reporting, command, directory};
use crate::serving::Serving;
use crate::usagectl::{PATIENCE, finish, run, write_own};

#[test]
fn it_reports_what_the_program_prints_until_a_signal_comes() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let state = directory.path().join("made/usage.json");
    let server = directory.path().join("server.json");
    fs::write(&server, r#"{"host":"example.com","version":"1.8.10"}"#).unwrap();
    let options = ["--json", "--verbose", "--server", server.to_str().unwrap()];
    let script = r#"echo "[{\"values\":{\"id\":\"$USAGE_SERVER_ID $USAGE_CLUSTER_ID\"}}]""#;
    let mut reporting = Reporting::start(&serving.url, &state, &options, script);

    let line = reporting.wait_for("started");
    assert!(line.contains(" INFO influxdb reports its usage to http://127.0.0.1:"), "{line}");
    assert!(line.contains("set USAGE_REPORTING=off, or DO_NOT_TRACK=1"), "{line}");
    assert!(line.contains("decided_by=that is the default"), "{line}");
    for _ in 0..3 {
        reporting.wait_for("delivered");
    }
    let ran = reporting.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let outcome: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&outcome["outcome"], &outcome["by"]), (&"stopped".into(), &"signal".into()));
    assert!(outcome["delivered"].as_u64().unwrap() >= 3, "{outcome}");

    let servers = serving.store().servers().read_all().unwrap();
    let usage = serving.store().usage().read_all().unwrap();
    assert_eq!(servers[0].report.host, "example.com");
    assert_eq!(servers[0].report.product, "influxdb");
    let ids = format!("{} {}", servers[0].report.server_id, servers[0].report.cluster_id);
    assert_eq!(ids.len(), 65);
    for stored in &usage {
        let id = stored.report.data[0].values.get("id").unwrap();
        assert_eq!(serde_json::to_value(id).unwrap(), ids);
    }
}

/// A machine that was cloned with its state; what is started without the option keeps what it has.
#[test]
fn a_copy_of_a_state_gets_an_identity_of_its_own() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let (original, copy) = (directory.path().join("original"), directory.path().join("copy"));
    let ids = |state: &std::path::Path, options: &[&str]| {
        let mut reporting = Reporting::start(&serving.url, state, options, NUMBERS);
        reporting.wait_for("delivered");
        assert_eq!(reporting.stop().code, Some(0));
        let state: Value = serde_json::from_slice(&fs::read(state).unwrap()).unwrap();
        ["server_id", "cluster_id"].map(|id| state[id].as_str().unwrap().to_owned())
    };
    let first = ids(&original, &["--verbose"]);
    fs::copy(&original, &copy).unwrap();
    assert_eq!(ids(&copy, &["--verbose"]), first, "nothing is guessed");
    let own = ids(&copy, &["--verbose", "--new-identity"]);
    assert!(own[0] != first[0] && own[1] != first[1], "{own:?}");
    assert_eq!(ids(&copy, &["--verbose"]), own, "once is enough");
    assert_eq!(ids(&original, &["--verbose"]), first);
}

/// The same ids for the registration and for the usage, wherever they come from.
#[test]
fn ids_that_the_file_names_are_the_ids() {
    let cases = [
        r#"{"host":"h","version":"1","cluster_id":"mine"}"#,
        r#"{"host":"h","version":"1","server_id":"mine"}"#,
        r#"{"host":"h","version":"1","cluster_id":"mine","server_id":"mine, too"}"#,
    ];
    for server in cases {
        let serving = Serving::start(&[]);
        let directory = directory();
        let (state, file) = (directory.path().join("usage.json"), directory.path().join("server"));
        fs::write(&file, server).unwrap();
        let options = ["--verbose", "--server", file.to_str().unwrap()];
        let script =
            r#"echo "[{\"values\":{\"c\":\"$USAGE_CLUSTER_ID\",\"s\":\"$USAGE_SERVER_ID\"}}]""#;
        let mut reporting = Reporting::start(&serving.url, &state, &options, script);
        reporting.wait_for("report=usage");
        // It goes out with the first usage at the latest, or was before it.
        assert_eq!(reporting.stop().code, Some(0));
        let registered = &serving.store().servers().read_all().unwrap()[0].report;
        let usage = &serving.store().usage().read_all().unwrap()[0].report.data[0];
        let value = |name| serde_json::to_value(usage.values.get(name).unwrap()).unwrap();
        assert_eq!(value("c"), registered.cluster_id);
        assert_eq!(value("s"), registered.server_id);
        let named: Value = serde_json::from_str(server).unwrap();
        for (field, id) in
            [("cluster_id", &registered.cluster_id), ("server_id", &registered.server_id)]
        {
            assert!(!id.is_empty());
            assert!(named.get(field).is_none_or(|named| named == id), "{server}: {id}");
        }
    }
}

/// A machine whose disk is full would be a new server at each start.
#[test]
fn ids_that_cannot_be_kept_are_not_reported_under() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let state = directory.path().join("usage.json");
    // Nothing can be made where a directory has the name.
    fs::create_dir(directory.path().join("usage.json.new")).unwrap();
    let ran = finish(command(&serving.url, &state, &[], NUMBERS).spawn().unwrap());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.starts_with("usagectl: cannot write "), "{}", ran.stderr);
}

/// Times for trying things out: a second attempt is not five seconds away.
#[test]
fn attempts_are_repeated_within_a_short_period() {
    let serving = Serving::start(&["--fail", "503:1"]);
    let directory = directory();
    let state = directory.path().join("usage.json");
    let mut reporting = Reporting::start(&serving.url, &state, &["--verbose"], NUMBERS);
    let line = reporting.wait_for("attempt_failed");
    let (_, wait) = line.split_once("retry_in_s=").unwrap();
    assert!(wait.trim().parse::<f64>().unwrap() <= 0.25, "{line}");
    reporting.wait_for("delivered");
    assert_eq!(reporting.stop().code, Some(0));
}

/// Its input is nobody's: a program that reads finds the end.
#[test]
fn the_program_has_no_input() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let state = directory.path().join("usage.json");
    let mut command = command(&serving.url, &state, &["--verbose"], &format!("cat; {NUMBERS}"));
    let mut reporting = Reporting::spawn(command.stdin(std::process::Stdio::piped()));
    reporting.wait_for("delivered");
    assert_eq!(reporting.stop().code, Some(0));
}

#[test]
fn a_restart_keeps_the_identity_and_the_schedule() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let state = directory.path().join("usage.json");
    let script = r#"echo "[{\"values\":{\"id\":\"$USAGE_SERVER_ID\"}}]""#;
    for _ in 0..2 {
        let mut reporting = Reporting::start(&serving.url, &state, &["--verbose"], script);
        reporting.wait_for("delivered");
        assert_eq!(reporting.stop().code, Some(0));
    }
    let usage = serving.store().usage().read_all().unwrap();
    assert_eq!(usage[0].report, usage.last().unwrap().report);

    // Half a day is not over: nothing is asked for, and nothing sent.
    let (url, path) = (serving.url.clone(), state.to_str().unwrap());
    let arguments =
        ["report", "--product", "influxdb", "--url", &url, "--state", path, "--", "false"];
    let mut reporting = Reporting::spawn(crate::usagectl::command().args(arguments));
    reporting.wait_for("started");
    let ran = reporting.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.ends_with("usagectl: stopped; 0 delivered, 0 lost\n"), "{}", ran.stderr);
    assert_eq!(serving.store().usage().read_all().unwrap().len(), usage.len());
}

#[test]
fn a_program_that_does_not_work_is_told_once_and_nothing_is_sent() {
    let cases = [
        ("exit 3", "`sh` failed: exit status: 3"),
        (
            "echo '[{\"SECRET\":'",
            "what `sh` prints is not a usage report; `sh … | usagectl preview",
        ),
        ("echo '\"SECRET\"'", "what `sh` prints is not a usage report; `sh … | usagectl preview"),
        ("test -e flap && rm flap || { touch flap; exit 3; }", "`sh` failed: exit status: 3"),
        ("yes", "`sh` printed more than 1048576 bytes, and was stopped"),
    ];
    for (script, expected) in cases {
        let serving = Serving::start(&[]);
        let directory = directory();
        let state = directory.path().join("usage.json");
        let mut command = command(&serving.url, &state, &["--verbose"], script);
        let mut reporting = Reporting::spawn(command.current_dir(directory.path()));
        for _ in 0..3 {
            reporting.wait_for("collect_failed");
        }
        let ran = reporting.stop();
        assert_eq!(ran.code, Some(0));
        let warnings: Vec<_> =
            ran.stderr.lines().filter(|line| line.contains(" WARN nothing is reported")).collect();
        assert_eq!(warnings.len(), 1, "{}", ran.stderr);
        assert!(warnings[0].contains(expected), "{}", warnings[0]);
        // What it prints is what is reported: nothing of it is in the log, unless asked for.
        assert!(!warnings[0].contains("SECRET"), "{}", warnings[0]);
        assert_eq!(serving.store().usage().read_all().unwrap().len(), 0);
    }
}

/// The shell starts a child, which would go on without it and hold the pipe open.
#[test]
fn a_program_that_takes_too_long_is_stopped_with_all_that_it_has_started() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let number = directory.path().join("number");
    let script = format!("sleep 1000 & echo $! > {}; wait", number.display());
    let state = directory.path().join("usage.json");
    let options = ["--verbose", "--command-timeout", "200ms"];
    let mut reporting = Reporting::start(&serving.url, &state, &options, &script);
    let line = reporting.wait_for(" WARN ");
    assert!(line.contains("`sh` did not end within 200ms, and was stopped"), "{line}");
    wait_until_gone(&number);
    assert_eq!(reporting.stop().code, Some(0));
}

#[test]
fn a_signal_stops_a_program_that_runs() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let number = directory.path().join("number");
    let script = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 1000", number.display());
    let state = directory.path().join("usage.json");
    let reporting = Reporting::start(&serving.url, &state, &["--flush-timeout", "200ms"], &script);
    let begun = std::time::Instant::now();
    while !number.exists() {
        assert!(begun.elapsed() < PATIENCE, "the program does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let ran = reporting.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stderr.contains(" WARN "), "{}", ran.stderr);
    wait_until_gone(&number);
}

#[test]
fn where_reporting_is_off_nothing_is_done_and_the_rule_is_named() {
    let directory = directory();
    let state = directory.path().join("some/usage.json").display().to_string();
    let cases = [
        ("DO_NOT_TRACK", "1", "usage reporting is off: DO_NOT_TRACK is set"),
        ("USAGE_REPORTING", "no", "usage reporting is off: USAGE_REPORTING says so"),
    ];
    for (variable, value, expected) in cases {
        // Not even the token or the address is looked at.
        let arguments = ["report", "--product", "p", "--state", &state, "--", "false"];
        let ran = run(&arguments).env(variable, value).done();
        assert_eq!(ran.code, Some(0));
        assert_eq!(ran.stderr, format!("usagectl: {expected}; nothing is done\n"));
        let ran = run(&[&["--json"], &arguments[..]].concat()).env(variable, value).done();
        assert_eq!(ran.json()["outcome"], "off");
        assert_eq!(ran.json()["message"], expected);
    }
    // What is no text is no word for on.
    let mut command = crate::usagectl::command();
    command.args(["report", "--product", "p", "--state", &state, "--", "false"]);
    command.env("DO_NOT_TRACK", std::ffi::OsStr::from_bytes(b"\xff"));
    let ran = finish(command.spawn().unwrap());
    assert!(ran.stderr.contains("DO_NOT_TRACK is set"), "{ran:?}");
    // It cannot be turned round.
    let arguments = ["report", "--product", "p", "--state", &state];
    let turned = [&arguments[..], &["--consent-variable", "DO_NOT_TRACK", "--", "false"]].concat();
    let ran = run(&turned).env("DO_NOT_TRACK", "1").done();
    assert!(ran.stderr.contains("off: DO_NOT_TRACK is set"), "{ran:?}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    // A product can have a variable of its own, which is stronger.
    let arguments = ["report", "--product", "", "--state", &state];
    let named = [&arguments[..], &["--consent-variable", "MINE", "--", "false"]].concat();
    let ran = run(&named).env("DO_NOT_TRACK", "1").env("MINE", "on").done();
    assert_eq!(ran.code, Some(5), "{ran:?}");
}

#[test]
fn a_state_that_cannot_be_used_is_told_and_left_alone() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let state = directory.path().join("usage.json");
    write_own(&state, "{}");
    let start = || finish(command(&serving.url, &state, &[], NUMBERS).spawn().unwrap());
    let ran = start();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("is not a state of usage reporting: restore it"), "{}", ran.stderr);
    assert!(ran.stderr.contains(": missing field `version`"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(&state).unwrap(), "{}");

    fs::remove_file(&state).unwrap();
    let mut first = Reporting::start(&serving.url, &state, &["--verbose"], NUMBERS);
    first.wait_for("delivered");
    let ran = start();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("is in use: another process reports with it"), "{}", ran.stderr);
    assert_eq!(first.stop().code, Some(0));
}

/// What another user may have put there is not taken, unless that is said.
#[test]
fn a_state_that_may_not_be_ours_has_to_be_accepted() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let (state, volume) = (directory.path().join("usage.json"), directory.path().join("volume"));
    std::os::unix::fs::symlink(&volume, &state).unwrap();
    let ran = finish(command(&serving.url, &state, &[], NUMBERS).spawn().unwrap());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("usage.json is a link to another file"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("`link` (--accept-file link)\n"), "{}", ran.stderr);
    assert!(!volume.exists());

    let options = ["--verbose", "--accept-file", "link"];
    let mut reporting = Reporting::start(&serving.url, &state, &options, NUMBERS);
    reporting.wait_for("delivered");
    assert_eq!(reporting.stop().code, Some(0));
    assert!(volume.is_file());

    // Nothing makes a pipe a file, and nobody waits for its other end.
    fs::remove_file(directory.path().join("volume.lock")).unwrap();
    let lock = directory.path().join("volume.lock");
    assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
    let ran = finish(command(&serving.url, &state, &options, NUMBERS).spawn().unwrap());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("volume.lock is a pipe and not a regular file"), "{}", ran.stderr);
}

#[test]
fn an_api_that_is_gone_ends_it() {
    let serving = Serving::start(&["--fail", "410"]);
    let directory = directory();
    let state = directory.path().join("usage.json");
    let reporting = Reporting::start(&serving.url, &state, &["--json"], NUMBERS);
    let ran = reporting.end();
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let outcome: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&outcome["by"], &outcome["lost"]), (&"api".into(), &1.into()), "{outcome}");
}

#[test]
fn what_makes_no_sense_is_told_before_anything_happens() {
    let directory = directory();
    let state = directory.path().join("usage.json").display().to_string();
    let cases: [(&[&str], i32, &str); 7] = [
        (&["--consent-variable", ""], 2, "the name is empty"),
        (&["--consent-variable", "A=B"], 2, "write the name alone"),
        (&["--every", "999ms"], 2, "at least 1s"),
        (&["--command-timeout", "2m"], 2, "at most 60s"),
        (&["--token", "secret-token"], 2, "a token is never an argument"),
        (&["--product", ".."], 5, "`..` is not a product"),
        (&["--server", "/no/such/file"], 5, "cannot read /no/such/file"),
    ];
    for (options, code, expected) in cases {
        let product: &[&str] = if options[0] == "--product" { &[] } else { &["--product", "p"] };
        let arguments = [&["report", "--state", &state], product, options, &["--", "false"]];
        let ran = run(&arguments.concat()).done();
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        assert!(!ran.stderr.contains("secret-token"));
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
