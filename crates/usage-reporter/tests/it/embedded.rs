//! The small product does what its page says, and nothing at all where it may not report.

#![expect(clippy::disallowed_types, reason = "a living process has processes")]
#![expect(clippy::disallowed_methods, reason = "a living process has an environment and files")]

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use usage_proto::{Api, BaseUrl};
use usage_reporter::Config;

#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/embedded.rs"]
mod example;

const CHILD: &str = "USAGE_REPORTER_EMBEDDED_CHILD";

#[test]
fn the_example_reports_with_both_drivers_under_one_identity() {
    let mut out = Vec::new();
    example::demo(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let servers: Vec<_> = out.lines().filter(|line| line.starts_with("stored: server ")).collect();
    assert_eq!(servers.len(), 2, "{out}");
    assert_eq!(servers[0], servers[1]);
    let usage = out.lines().filter(|line| line.starts_with("stored: usage ")).count();
    assert!(usage >= 2, "{out}");
}

/// In a process of its own, whose threads and files are nobody else's.
#[cfg(target_os = "linux")]
#[test]
fn where_reporting_is_off_there_is_no_thread_no_file_and_no_socket() {
    let directory = tempfile::tempdir().unwrap();
    let test = "embedded::off_in_a_process_of_its_own";
    let child = |do_not_track: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(CHILD, directory.path())
            .env("DO_NOT_TRACK", do_not_track)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
        told
    };
    let counts = |told: String| -> Vec<String> {
        let lines = told.lines().filter_map(|line| line.split_once("threads: "));
        lines.map(|(_, counts)| counts.to_owned()).collect()
    };
    // One driver after the other.
    assert_eq!(counts(child("1")), ["0, descriptors: {}, files: 0"; 2]);
    // What is counted can be more than nothing.
    let on = counts(child("0"));
    assert!(on[0].starts_with("1, ") && on[0].contains("files: 1"), "{on:?}");
    assert!(on.iter().all(|counts| counts.contains("usage.json.lock")), "{on:?}");
}

/// Does nothing but in the child that the test above starts.
#[cfg(target_os = "linux")]
#[test]
fn off_in_a_process_of_its_own() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let state = std::path::Path::new(&directory).join("tinykv/usage.json");
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let descriptors = || -> BTreeSet<_> {
        let list = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        // Without the one that lists them.
        list.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect()
    };

    // Nobody listens there, and nothing is sent to it within this test.
    let api = Api::new(BaseUrl::new("http://127.0.0.1:9").unwrap());
    let metrics = Arc::new(example::Metrics::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let count = |start: &dyn Fn()| {
        let before = (threads(), descriptors());
        start();
        let more: BTreeSet<_> = descriptors().difference(&before.1).cloned().collect();
        let files = std::fs::read_dir(&directory).unwrap().count();
        // A thread that was told to end may still have been there.
        let threads = threads().saturating_sub(before.0);
        println!("threads: {threads}, descriptors: {more:?}, files: {files}");
    };
    let (config, metrics) = (Config::new, || Arc::clone(&metrics));
    let (thread, task) = (std::cell::OnceCell::new(), std::cell::OnceCell::new());
    count(&|| {
        let started = example::Telemetry::start(None, config(), api.clone(), &state, metrics());
        assert!(thread.set(started.unwrap()).is_ok());
    });
    thread.into_inner().unwrap().stop();
    count(&|| {
        let _context = runtime.enter();
        let started =
            example::AsyncTelemetry::start(None, config(), api.clone(), &state, metrics());
        assert!(task.set(started.unwrap()).is_ok());
    });
    runtime.block_on(task.into_inner().unwrap().stop());
}
