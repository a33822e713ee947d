//! What a product tests its own reporting with.

use std::time::{Duration, Instant};

use usage_client::testing::{Fault, Route, StatusCode, TestApi};
use usage_client::{Schedule, UsageData};

use crate::PATIENCE;

const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn numbers() -> UsageData {
    UsageData::new().value("num_keys", 3)
}

#[test]
fn a_year_takes_a_moment_and_survives_restarts() {
    let begun = Instant::now();
    let api = TestApi::start().unwrap();
    for _ in 0..4 {
        let mut life = api.live(&api.reporting("tinykv", "1.2.3"), numbers).unwrap();
        life.pass(YEAR / 4).unwrap();
        assert_eq!(life.stop(HOUR).unwrap().lost, 0);
    }
    let usage = api.usage().unwrap();
    // Every 12 hours and a jitter of half an hour in the mean, but for the first slot.
    assert!((690..=730).contains(&usage.len()), "{} reports", usage.len());
    let servers = api.servers().unwrap();
    assert_eq!(servers.len(), 4);
    assert!(servers.iter().all(|server| server.report == servers[0].report), "one identity");
    let mut keys: Vec<_> = usage.iter().map(|usage| usage.key.clone().unwrap()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), usage.len(), "a key for each report");
    assert_eq!(api.arrived().len(), usage.len() + servers.len());
    let slept = begun.elapsed();
    assert!(slept < PATIENCE * 3, "{slept:?}");
}

#[test]
fn a_fault_is_that_of_its_route_and_a_retry_has_the_same_key() {
    let api = TestApi::start().unwrap();
    api.fault(Route::Usage, Fault::Status(StatusCode::SERVICE_UNAVAILABLE), 2);
    api.fault(Route::Servers, Fault::Cut, 1);
    let mut life = api.live(&api.reporting("tinykv", "1.2.3"), numbers).unwrap();
    life.pass(HOUR).unwrap();
    life.report_now();
    life.pass(HOUR).unwrap();
    let seen = |route| {
        let of_route = api.arrived().into_iter().filter(move |seen| seen.route == Some(route));
        of_route.map(|seen| (seen.status.map(|status| status.as_u16()), seen.key)).collect()
    };
    let (servers, usage): (Vec<_>, Vec<_>) = (seen(Route::Servers), seen(Route::Usage));
    let statuses = |seen: &[(Option<u16>, _)]| -> Vec<_> { seen.iter().map(|one| one.0).collect() };
    assert_eq!(statuses(&servers), [None, Some(201)]);
    assert_eq!(statuses(&usage)[..3], [Some(503), Some(503), Some(201)]);
    assert!(usage[..3].iter().all(|(_, key)| key.is_some() && *key == usage[0].1));
    assert_eq!(api.usage().unwrap()[0].key, usage[0].1);
    assert_eq!(api.servers().unwrap()[0].key, servers[0].1);
}

#[test]
fn what_is_stored_without_a_word_is_stored_once() {
    for fault in [Fault::CutAfterStoring, Fault::HalfBody] {
        let api = TestApi::start().unwrap();
        api.fault(Route::Usage, fault, 1);
        let mut life = api.live(&api.reporting("tinykv", "1.2.3"), numbers).unwrap();
        life.report_now();
        life.pass(HOUR).unwrap();
        let tries: Vec<_> =
            api.arrived().into_iter().filter(|seen| seen.route == Some(Route::Usage)).collect();
        // Half a body with a status that says yes is a yes.
        let expected = if fault == Fault::HalfBody { 1 } else { 2 };
        assert_eq!((tries.len(), api.usage().unwrap().len()), (expected, 1), "{fault:?}");
        assert_eq!(life.status().delivered, 2, "{fault:?}");
    }
}

#[test]
fn a_pause_is_kept_to_and_half_a_body_is_seen_as_one() {
    let api = TestApi::start().unwrap();
    api.fault(Route::Usage, Fault::Pause(2 * HOUR), 1);
    let mut life = api.live(&api.reporting("tinykv", "1.2.3"), numbers).unwrap();
    // Before the first slot, wherever in half a day it is.
    life.report_now();
    life.pass(HOUR + 59 * MINUTE).unwrap();
    assert_eq!(api.usage().unwrap(), []);
    life.pass(2 * HOUR).unwrap();
    assert_eq!(api.usage().unwrap().len(), 1);

    api.fault(Route::Servers, Fault::HalfBody, 1);
    let client = usage_client::Client::new(usage_client::Api::new(api.url().clone())).unwrap();
    let server = usage_client::Server::new().cluster_id("c").server_id("s").host("h");
    let saved = client.save(&server.product("tinykv").version("1")).unwrap();
    assert!(!saved.is_complete(), "{saved:?}");
}

#[test]
fn off_is_off_and_real_time_is_waited_for() {
    let api = TestApi::start().unwrap();
    let off = api.reporting("tinykv", "1.2.3").setting(Some(false));
    let mut life = api.live(&off, || -> UsageData { panic!("nobody is asked") }).unwrap();
    life.report_now();
    life.pass(YEAR).unwrap();
    assert_eq!(life.status().phase, "off");
    assert!(api.arrived().is_empty());

    let often = Schedule::every(Duration::from_secs(1)).start_spread(Duration::ZERO);
    let reporting = api.reporting("tinykv", "1.2.3").schedule(often).start(numbers).unwrap();
    assert!(api.wait_for(Route::Usage, 2, PATIENCE), "{reporting:?}");
    assert!(!api.wait_for(Route::Stats, 1, Duration::ZERO));
    reporting.stop(PATIENCE);
    // The state that it left is one of the time that has passed in this test.
    let again = api.live(&api.reporting("tinykv", "1.2.3"), numbers).unwrap();
    assert!(again.stop(HOUR).is_ok());
}

/// A test that is async passes time as any other.
#[cfg(any(feature = "reqwest", feature = "hyper"))]
#[tokio::test(flavor = "multi_thread")]
async fn time_passes_within_a_runtime() {
    let api = TestApi::start().unwrap();
    let mut life = api.live(&api.reporting("tinykv", "1.2.3"), numbers).unwrap();
    life.pass(24 * HOUR).unwrap();
    assert!(life.status().delivered >= 2);
}
