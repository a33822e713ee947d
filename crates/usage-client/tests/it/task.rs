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

/// On either kind of runtime, wherever it is asked for, whatever the collector waits for.
#[test]
fn a_preview_is_given_within_a_runtime() {
    use tokio::runtime::Builder;

    let one = Builder::new_current_thread().enable_all().build().unwrap();
    let many = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for runtime in [one, many] {
        let there = api();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let awaits = || async {
                sleep(Duration::from_millis(1)).await;
                UsageData::new().value("num_keys", 3)
            };
            let reporting = product(&there, folder.path()).start_on_tokio(awaits).unwrap();
            assert!(reporting.wait_until(|status| status.phase == "running", PATIENCE).await);
            let preview = reporting.preview().await.unwrap().unwrap();
            assert!(preview.to_string().contains("\"num_keys\":3"), "{preview}");
            reporting.stop(PATIENCE).await;

            let plain = || UsageData::new().value("num_keys", 4);
            let reporting = product(&there, folder.path()).start_on_tokio(plain).unwrap();
            assert!(reporting.wait_until(|status| status.phase == "running", PATIENCE).await);
            let preview = reporting.preview().await.unwrap().unwrap();
            assert!(preview.to_string().contains("\"num_keys\":4"), "{preview}");
            reporting.stop(PATIENCE).await;

            // One on a thread, which async code may ask too.
            let reporting = product(&there, folder.path()).start(plain).unwrap();
            assert!(reporting.wait_until(|status| status.phase == "running", PATIENCE));
            assert!(reporting.preview().unwrap().is_some());
            reporting.stop(PATIENCE);
        });
    }
}

#[tokio::test]
async fn a_collector_that_panics_gives_no_preview() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let panics = || -> UsageData { panic!("no numbers") };
    let reporting = product(&there, folder.path()).start_on_tokio(panics).unwrap();
    assert!(reporting.wait_until(|status| status.phase == "running", PATIENCE).await);
    let error = reporting.preview().await.unwrap_err();
    assert!(matches!(error, usage_client::PreviewError::Collect(_)), "{error:?}");
    reporting.stop(PATIENCE).await;
}
