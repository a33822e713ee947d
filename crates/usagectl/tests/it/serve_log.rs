//! The log of `serve`: as objects, in a file, and opened anew.

use std::fs;
use std::path::Path;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::serving::Serving;
use crate::usagectl::{Ran, run, wait_until};

fn save(serving: &Serving, body: &str) -> Ran {
    run(&["save", "usage", "--product", "influxdb", "-", "--url", &serving.url]).stdin(body).done()
}

fn objects(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn each_line_is_an_object() {
    let serving = Serving::start(&["--log-format", "json"]);
    assert_eq!(save(&serving, "[]").code, Some(0));
    let unknown = run(&["save", "usage", "--product", "p", "-", "--url", &serving.url])
        .env("USAGE_TOKEN", "no-such-token")
        .stdin("[]")
        .done();
    assert_eq!(unknown.code, Some(3));
    let log = serving.stop().stderr;
    let objects = objects(&log);
    assert!(objects.iter().all(|object| object["time"].as_str().unwrap().ends_with('Z')), "{log}");
    let requests: Vec<_> = objects.iter().filter(|object| object.get("method").is_some()).collect();
    let [saved, refused] = requests[..] else { panic!("{log}") };
    assert_eq!(saved["method"], "POST");
    assert_eq!(saved["path"], "/api/v1/usage/influxdb");
    assert_eq!((&saved["status"], &saved["body_bytes"]), (&201.into(), &2.into()));
    assert!(saved["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(saved.get("refused").is_none() && saved.get("address").is_none(), "{saved}");
    assert_eq!((&refused["status"], &refused["refused"]), (&401.into(), &"unknown_token".into()));
    // Everything else that is told is a message.
    let others = objects.iter().filter(|object| object.get("method").is_none());
    let messages: Vec<_> = others.map(|object| object["message"].as_str().unwrap()).collect();
    assert!(messages.iter().any(|message| message.starts_with("storing in ")), "{log}");
    assert_eq!(messages.last(), Some(&"stopped"));
}

#[test]
fn an_address_is_logged_only_where_that_is_said() {
    for (options, shown) in [
        (&["--log-addresses"][..], Some(", from 127.0.0.1")),
        (&["--log-addresses", "--log-format=json"], Some("\"address\":\"127.0.0.1\"")),
        (&["--log-addresses=false"], None),
        (&[], None),
    ] {
        let serving = Serving::start(options);
        assert_eq!(save(&serving, "[]").code, Some(0));
        let log = serving.stop().stderr;
        let line = log.lines().find(|line| line.contains("/api/v1/usage")).unwrap();
        match shown {
            Some(shown) => assert!(line.contains(shown), "{line}"),
            None => assert!(!line.contains("127.0.0.1"), "{line}"),
        }
    }
}

fn hang_up(serving: &Serving) {
    kill_process(serving.pid(), Signal::HUP).unwrap();
}

fn waits_for(path: &Path, part: &str) -> String {
    let mut text = String::new();
    wait_until(&format!("{} says {part:?}", path.display()), || {
        text = fs::read_to_string(path).unwrap_or_default();
        text.contains(part)
    });
    text
}

/// As logrotate does it: the file is renamed, then the server is told.
#[test]
fn a_log_that_was_renamed_is_opened_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (log, old) = (directory.path().join("serve.log"), directory.path().join("serve.log.1"));
    fs::write(&log, "there before\n").unwrap();
    let serving = Serving::start(&["--log-file", log.to_str().unwrap()]);
    assert_eq!(save(&serving, "[]").code, Some(0));
    let text = waits_for(&log, "/api/v1/usage/influxdb 201");
    assert!(text.starts_with("there before\n"), "{text}");

    fs::rename(&log, &old).unwrap();
    hang_up(&serving);
    waits_for(&log, "the log was opened anew");
    assert_eq!(save(&serving, "[").code, Some(5), "not JSON");
    assert_eq!(save(&serving, "[]").code, Some(0));
    waits_for(&log, "/api/v1/usage/influxdb 201");
    let before = fs::read_to_string(&old).unwrap();
    assert_eq!(before.matches("influxdb 201").count(), 1, "{before}");

    // Where it cannot be, the old one goes on, and the server with it.
    let newer = directory.path().join("serve.log.2");
    fs::rename(&log, &newer).unwrap();
    fs::create_dir(&log).unwrap();
    hang_up(&serving);
    waits_for(&newer, "the log goes on in the file that is open");
    assert_eq!(save(&serving, "[]").code, Some(0));
    let ran = serving.stop();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(fs::read_to_string(&newer).unwrap().ends_with("stopped\n"));
}

#[test]
fn a_log_that_cannot_be_opened_is_an_error_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--log-file", "no/such/log"])
        .directory(directory.path())
        .done();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(5), ""));
    assert!(ran.stderr.contains("no/such"), "{}", ran.stderr);
}
