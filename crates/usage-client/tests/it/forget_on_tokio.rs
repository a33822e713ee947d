//! To be forgotten, on tokio.

use std::time::Duration;

use testkit::scripted::{Nobody, Script, ScriptedServer};
use usage_client::{BaseUrl, ForgetOutcome, StartError, UsageData};

use crate::forget_me::an_hour_later;
use crate::{PATIENCE, api, product};

/// On a runtime of one thread, which nothing may hold up.
#[tokio::test]
async fn w57_a_customer_who_opts_out_is_forgotten() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let running = product(&there, folder.path()).start_on_tokio(UsageData::new).unwrap();
    assert!(running.wait_until(|status| status.delivered >= 2, PATIENCE).await);
    running.stop(Duration::ZERO).await;

    let on = product(&there, folder.path());
    assert!(matches!(on.forget_me_on_tokio(PATIENCE).await, Err(StartError::StillOn(_))));
    let off = product(&there, folder.path()).setting(Some(false));
    let outcome = off.forget_me_on_tokio(PATIENCE).await.unwrap();
    assert!(matches!(outcome, ForgetOutcome::Forgotten { reports: Some(2..) }), "{outcome:?}");
    assert_eq!(there.store().reports(usage_server::Selection::new()).count(), 0);
    let outcome = off.forget_me_on_tokio(PATIENCE).await.unwrap();
    assert_eq!(outcome, ForgetOutcome::NothingToForget);
    let outcome = off.retry_forget_me_on_tokio(PATIENCE).await.unwrap();
    assert_eq!(outcome, ForgetOutcome::NothingToForget);
}

#[tokio::test]
async fn the_limit_holds_whatever_the_api_does() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let running = product(&there, folder.path()).start_on_tokio(UsageData::new).unwrap();
    assert!(running.wait_until(|status| status.delivered >= 2, PATIENCE).await);
    running.stop(Duration::ZERO).await;
    let hangs = ScriptedServer::start([Script::new().read_request().hold()]);
    let off = product(&there, folder.path()).setting(Some(false));
    let off = off.url(BaseUrl::new(&hangs.url()).unwrap());
    let outcome = off.forget_me_on_tokio(Duration::from_secs(2)).await.unwrap();
    assert!(matches!(outcome, ForgetOutcome::Pending { .. }), "{outcome:?}");
}

/// A program that asks again at its start reports after that.
#[tokio::test]
async fn who_starts_after_a_retry_has_the_state_file() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let running = product(&there, folder.path()).start_on_tokio(UsageData::new).unwrap();
    assert!(running.wait_until(|status| status.delivered >= 2, PATIENCE).await);
    running.stop(PATIENCE).await;
    let nobody = Nobody::new();
    let nowhere = BaseUrl::new(&format!("http://{}", nobody.address())).unwrap();
    let offline = product(&there, folder.path()).setting(Some(false)).url(nowhere);
    offline.forget_me_on_tokio(PATIENCE).await.unwrap();
    an_hour_later(folder.path());
    let hangs = ScriptedServer::start([Script::new().read_request().hold()]);
    let hanging = product(&there, folder.path()).url(BaseUrl::new(&hangs.url()).unwrap());
    let outcome = hanging.retry_forget_me_on_tokio(Duration::from_secs(1)).await.unwrap();
    assert!(matches!(outcome, ForgetOutcome::Pending { .. }), "{outcome:?}");
    assert_eq!(hangs.connections(), 1);
    let running = product(&there, folder.path()).start_on_tokio(UsageData::new).unwrap();
    assert!(running.wait_until(|status| status.delivered >= 1, PATIENCE).await);
    running.stop(PATIENCE).await;
    drop(hangs);
}
