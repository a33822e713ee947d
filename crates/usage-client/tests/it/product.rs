//! A product over its life: it reports, is stopped, and is the same one after a restart.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use usage_client::UsageData;

use crate::{PATIENCE, api, product, wait_until};

#[test]
fn it_registers_reports_and_is_the_same_one_after_a_restart() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    for start in 1..=2_usize {
        let reporting = product(&there, folder.path())
            .start(move || UsageData::new().value("num_keys", 40 + start))
            .unwrap();
        wait_until("it is registered and has reported", || reporting.status().delivered >= 2);
        reporting.stop(PATIENCE);
        assert_eq!(reporting.status().phase, "stopped");
        assert_eq!(there.store().servers().read_all().unwrap().len(), start);
    }
    let servers = there.store().servers().read_all().unwrap();
    let (first, second) = (&servers[0].report, &servers[1].report);
    assert_eq!(first, second, "the same server");
    assert_eq!(first.product, "tinykv");
    assert_eq!(first.version, "1.2.3");
    assert_eq!(first.host, "host.example");
    assert!(first.server_id.len() == 32 && first.cluster_id.len() == 32, "{first:?}");

    for usage in there.store().usage().read_all().unwrap() {
        let data = &usage.report.data[0];
        assert_eq!(data.tags.get("version"), Some("1.2.3"));
        assert_eq!(data.tags.get("os"), Some(std::env::consts::OS));
        assert_eq!(data.tags.get("arch"), Some(std::env::consts::ARCH));
        let text = |name: &str| data.values.get(name).and_then(|value| value.as_str());
        assert_eq!(text("server_id"), Some(&*first.server_id));
        assert_eq!(text("cluster_id"), Some(&*first.cluster_id));
        assert!(data.values.get("num_keys").is_some());
    }
}

#[test]
fn what_the_collector_says_itself_stands() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let reporting = product(&there, folder.path())
        .cluster_id("clus1")
        .start(|| {
            let own = UsageData::new().tag("version", "custom").tag("server_id", "mine");
            Ok::<_, std::io::Error>(vec![own, UsageData::new()])
        })
        .unwrap();
    wait_until("it has reported", || !there.store().usage().read_all().unwrap().is_empty());
    reporting.stop(PATIENCE);
    let usage = there.store().usage().read_all().unwrap();
    let data = &usage[0].report.data;
    assert_eq!(data.len(), 2);
    assert_eq!(data[0].tags.get("version"), Some("custom"));
    assert_eq!(data[0].tags.get("server_id"), Some("mine"));
    assert!(data[0].values.get("server_id").is_none());
    assert_eq!(data[1].values.get("cluster_id").and_then(|id| id.as_str()), Some("clus1"));
}

#[test]
fn a_preview_is_what_goes_and_sends_nothing() {
    let there = api();
    let token = there.create_token("Example Inc.").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let hours = usage_client::Schedule::new();
    let reporting = product(&there, folder.path())
        .schedule(hours)
        .token(token.clone())
        .start(|| UsageData::new().value("num_keys", 3))
        .unwrap();
    wait_until("it runs", || reporting.status().phase == "running");
    let preview = reporting.preview().unwrap().unwrap();
    assert!(there.store().usage().read_all().unwrap().is_empty());
    assert_eq!(preview.uri().path(), "/api/v1/usage/tinykv");
    let shown = preview.to_string();
    assert!(shown.contains("\"num_keys\":3") && shown.contains("x-authorization: [redacted]"));
    assert!(!format!("{shown}{preview:?}").contains(token.expose()), "{shown}");
    reporting.report_now();
    wait_until("it has reported", || !there.store().usage().read_all().unwrap().is_empty());
    let stored = there.store().usage().read_all().unwrap().remove(0);
    let sent = serde_json::to_value(&stored.report).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(preview.body()).unwrap(), sent);
    reporting.stop(Duration::from_secs(2));
}

#[test]
fn the_status_is_for_a_persons_eyes_and_serializes() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let reporting = product(&there, folder.path()).start(UsageData::new).unwrap();
    wait_until("it has reported", || reporting.status().delivered >= 2);
    let status = serde_json::to_value(reporting.status()).unwrap();
    assert_eq!(status["phase"], "running");
    assert_eq!(status["consent"], "usage reporting is on: the application's setting says so");
    let time = status["last_success"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.starts_with("20"), "{time}");
    assert!(status["next_due"].is_string() && status.get("last_error").is_none(), "{status}");
    reporting.stop(PATIENCE);
}

/// There is no other sign of it than that nothing arrives.
#[test]
fn numbers_that_cannot_be_had_or_sent_are_told() {
    type Numbers = fn() -> Result<UsageData, String>;
    if !testkit::child::is_here() {
        let test = "product::numbers_that_cannot_be_had_or_sent_are_told";
        return testkit::child::run(test, &[]);
    }
    testkit::logged::keep();
    let failing: [(Numbers, &str); 4] = [
        (|| Err("no numbers".to_owned()), "no numbers"),
        (|| Ok(UsageData::new().value("ratio", f64::NAN)), "`[0].values.ratio`"),
        (|| Ok(UsageData::new().value("x", "x".repeat(3 << 20))), "the body is larger than"),
        // It is in the status. In the log it is by the program's own hook for panics.
        (|| panic!("a bug"), "panicked: a bug"),
    ];
    for (numbers, expected) in failing {
        let there = api();
        let folder = tempfile::tempdir().unwrap();
        let state = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
        let seen = Arc::clone(&state);
        let reporting = product(&there, folder.path())
            .start(move || {
                seen.0.fetch_add(1, Ordering::Relaxed);
                if seen.1.load(Ordering::Relaxed) { Ok(UsageData::new()) } else { numbers() }
            })
            .unwrap();
        let error = || reporting.status().last_error.unwrap_or_default();
        wait_until("it has failed, and fails again", || state.0.load(Ordering::Relaxed) >= 2);
        let told = error();
        assert!(told.starts_with("usage could not be collected: "), "{told}");
        assert!(told.contains(expected), "{told}");
        assert_eq!(there.store().usage().count(), 0);
        state.1.store(true, Ordering::Relaxed);
        wait_until("it has reported", || there.store().usage().count() > 0);
        wait_until("all is well", || error().is_empty());
        reporting.stop(PATIENCE);
    }
    // Each of them once, though each has failed again.
    let line = "usage could not be collected, so that none is reported this time";
    assert_eq!(testkit::logged::times(line), 3);
}

/// A program that becomes a service changes its directory.
#[test]
fn the_last_report_is_found_from_any_directory() {
    if !testkit::child::is_here() {
        return testkit::child::run("product::the_last_report_is_found_from_any_directory", &[]);
    }
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    let reporting = product(&there, Path::new("")).start(UsageData::new).unwrap();
    wait_until("it has reported", || reporting.status().delivered >= 2);
    std::env::set_current_dir("/").unwrap();
    wait_until("it is found", || reporting.last_sent().unwrap().is_some());
    reporting.stop(PATIENCE);
}
