//! The same on tokio, with a collector that is async, and with one that is not.

use std::time::Duration;

use tokio::time::sleep;
use usage_client::UsageData;

use crate::{PATIENCE, api, product, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_may_await() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let reporting = product(&there, folder.path())
        .start_on_tokio(|| async {
            sleep(Duration::from_millis(1)).await;
            UsageData::new().value("num_keys", 3)
        })
        .unwrap();
    tokio::task::block_in_place(|| {
        wait_until("it has reported", || reporting.status().delivered >= 2);
    });
    reporting.stop(PATIENCE).await;
    assert_eq!(reporting.status().phase, "stopped");
    assert!(!there.store().usage().read_all().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn or_not() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let reporting =
        product(&there, folder.path()).start_on_tokio(|| UsageData::new().value("n", 1)).unwrap();
    tokio::task::block_in_place(|| {
        wait_until("it has reported", || reporting.status().delivered >= 2);
    });
    reporting.stop(PATIENCE).await;
}

#[test]
fn outside_of_a_runtime_it_says_so() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let error = product(&there, folder.path()).start_on_tokio(UsageData::new).unwrap_err();
    assert!(matches!(error, usage_client::StartError::Spawn(_)), "{error:?}");
}
