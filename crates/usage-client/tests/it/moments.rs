//! Programs that do not live long, and those that wait for their reports.

use std::time::Duration;

use usage_client::{Schedule, Stats, StatsData, UsageData};

use crate::{PATIENCE, api, product};

/// Ten minutes to spread the start over, and twelve hours to the first slot.
#[test]
fn what_is_flushed_has_arrived_and_what_was_sent_can_be_read_by_whoever_owns_the_machine() {
    let there = api();
    let token = there.create_token("Example Inc.").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let reporting = product(&there, folder.path())
        .schedule(Schedule::new())
        .token(token.clone())
        .start(|| UsageData::new().value("num_keys", 3))
        .unwrap();
    assert!(reporting.last_sent().unwrap().is_none());
    assert!(reporting.flush(PATIENCE), "{reporting:?}");
    assert_eq!(there.store().servers().read_all().unwrap().len(), 1);
    assert!(there.store().usage().read_all().unwrap().is_empty());

    let stats = Stats::new("tinykv").cluster_id("c").server_id("s");
    reporting.push_stats(&stats.data(StatsData::new("engine").value("n", 1))).unwrap();
    reporting.report_now();
    reporting.register().unwrap();
    assert!(reporting.flush(PATIENCE), "{reporting:?}");
    assert_eq!(there.store().servers().read_all().unwrap().len(), 2);
    assert_eq!(there.store().stats().read_all().unwrap().len(), 1);
    let stored = there.store().usage().read_all().unwrap().remove(0).report;

    let sent = reporting.last_sent().unwrap().unwrap();
    let body: serde_json::Value = serde_json::from_str(sent.body()).unwrap();
    assert_eq!(body, serde_json::to_value(&stored).unwrap());
    assert_eq!((sent.status(), sent.error()), (Some(201), None));
    assert!(!format!("{sent}{sent:?}").contains(token.expose()), "{sent}");
    reporting.stop(PATIENCE);
    assert_eq!(reporting.status().delivered, 4);

    // By now the customer has switched it off, and can read it all the same.
    let off = product(&there, folder.path()).setting(Some(false)).start(UsageData::new).unwrap();
    assert_eq!(off.last_sent().unwrap().unwrap(), sent);
    assert!(off.flush(PATIENCE) && !off.wait_until(|status| status.delivered > 0, PATIENCE));
}

#[test]
fn a_condition_ends_the_wait_for_it() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let reporting = product(&there, folder.path()).start(UsageData::new).unwrap();
    assert!(reporting.wait_until(|status| status.delivered >= 3, PATIENCE), "{reporting:?}");
    assert!(!reporting.wait_until(|status| status.phase == "failed", Duration::from_millis(10)));
    reporting.stop(PATIENCE);
    assert!(reporting.wait_until(|status| status.phase == "stopped", PATIENCE));
    assert!(!reporting.wait_until(|_| false, Duration::MAX), "what has stopped stays so");
}

#[cfg(any(feature = "reqwest", feature = "hyper"))]
#[tokio::test]
async fn on_tokio_too() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let reporting = product(&there, folder.path())
        .schedule(Schedule::new())
        .start_on_tokio(|| async { UsageData::new().value("num_keys", 3) })
        .unwrap();
    reporting.report_now();
    assert!(reporting.flush(PATIENCE).await, "{reporting:?}");
    assert!(reporting.wait_until(|status| status.delivered == 2, PATIENCE).await, "{reporting:?}");
    assert_eq!(reporting.last_sent().unwrap().unwrap().status(), Some(201));
    reporting.stop(PATIENCE).await;
    assert!(!reporting.wait_until(|_| false, Duration::MAX).await);
    assert_eq!(there.store().usage().read_all().unwrap().len(), 1);
}
