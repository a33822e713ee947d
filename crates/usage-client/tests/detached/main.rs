//! A tool that reports by a process of its own: this program is the tool, and its test.

#![expect(clippy::unwrap_used, reason = "tests say what they expect")]
#![expect(clippy::print_stdout, reason = "a program speaks to its user")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use usage_client::{BaseUrl, IfDue, Reporting, UsageData};
use usage_server::{Config, Database, Server};

const PATIENCE: Duration = Duration::from_secs(20);
const STATE: &str = "TINYTOOL_STATE";
const URL: &str = "TINYTOOL_URL";

fn main() {
    match env::var_os(STATE) {
        Some(state) => tool(Path::new(&state)),
        None => test(),
    }
}

/// What a product would be.
fn tool(state: &Path) {
    let outcome = Reporting::new("tinytool", "1.2.3")
        .url(env::var(URL).unwrap().parse::<BaseUrl>().unwrap())
        .state_file(state)
        .report_if_due_detached(|| UsageData::new().value("runs", 1), PATIENCE)
        .unwrap();
    println!("{outcome:?}");
}

fn test() {
    // `cargo test -- FILTER` is about other tests.
    if env::args().skip(1).any(|argument| !argument.starts_with('-') && argument != "detached") {
        return;
    }
    let there = Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("usage.json");
    let run = |consent: &str| {
        let mut tool = Command::new(env::current_exe().unwrap());
        tool.env(STATE, &state).env(URL, there.url()).env_remove("DO_NOT_TRACK");
        let output = tool.env("TINYTOOL_USAGE_REPORTING", consent).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let said = |outcome: IfDue| format!("{outcome:?}");

    assert_eq!(run("off"), said(IfDue::Off));
    assert!(!state.exists());

    // The second process draws a slot.
    assert_eq!(run("on"), said(IfDue::Detached));
    let drawn = || fs::read_to_string(&state).is_ok_and(|text| text.contains("next_due_unix_ns"));
    wait_until("a slot is drawn", drawn);
    assert_eq!(run("on"), said(IfDue::NotDue));
    assert!(there.store().servers().read_all().unwrap().is_empty());

    // The slot has come: the second process reports.
    let mut due: serde_json::Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    due["next_due_unix_ns"] = 1_700_000_000_000_000_000_u64.into();
    fs::write(&state, due.to_string()).unwrap();
    assert_eq!(run("on"), said(IfDue::Detached));
    wait_until("it has reported", || {
        fs::read_to_string(&state).is_ok_and(|text| text.contains("acknowledged_unix_ns"))
    });
    let usage = there.store().usage().read_all().unwrap();
    assert_eq!((usage.len(), &*usage[0].report.product), (1, "tinytool"));
    assert_eq!(run("on"), said(IfDue::NotDue));
    println!("a tool reports by a process of its own: ok");
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
