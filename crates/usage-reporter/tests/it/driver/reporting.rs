//! Reports get from a host to an API.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use usage_proto::{Api, BaseUrl, IDEMPOTENCY_KEY, Server, Stats, StatsData};
use usage_reporter::{Phase, State, Status};
use usage_server::{Config, Database};

use super::host::{Gate, PATIENCE, TestHost, numbers};
use super::rig::{AnyHandle, Rig, reporter, reporter_for};
use crate::support::{answer, clock};

#[test]
fn all_three_reports_reach_an_api_and_a_token_that_comes_later_goes_with_them() {
    for rig in Rig::both() {
        let there =
            usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap();
        let api = Api::new(BaseUrl::new(&there.url()).unwrap());
        let client = usage_ureq::Client::new(api.clone()).unwrap();

        let mut reporter = reporter_for(api, State::new());
        let server = Server::new().cluster_id("c").server_id("s").host("h");
        reporter.register(clock(), &server.product("influxdb").version("1")).unwrap();
        let (keep, states) = channel();
        let (host, alive) = TestHost::new();
        let host = host.on_store(move |state| Ok(keep.send(state.clone())?));

        let handle = rig.spawn(reporter, move |request| client.execute(request), host).unwrap();
        handle.report_now();
        // Once with the slot that was drawn, once before usage is sent, with its key, and once when
        // it is acknowledged.
        let first = states.recv_timeout(PATIENCE).unwrap();
        assert!(first.unacknowledged_key().is_none() && first.next_due().is_some());
        let before = states.recv_timeout(PATIENCE).unwrap();
        assert!(before.unacknowledged_key().is_some() && before.acknowledged().is_none());
        let after = states.recv_timeout(PATIENCE).unwrap();
        assert!(after.unacknowledged_key().is_none() && after.acknowledged().is_some());

        handle.set_token(there.create_token("Example Inc.").unwrap());
        handle.push_stats(&stats(1)).unwrap();
        let end = handle.shutdown(PATIENCE);
        assert_eq!((end.phase, end.delivered, end.lost), (Phase::Stopped, 3, 0));
        alive.wait_for_end();

        let store = there.store();
        assert_eq!(store.servers().read_all().unwrap()[0].report.server_id, "s");
        let usage = store.usage().read_all().unwrap();
        assert_eq!((usage.len(), &usage[0].report), (1, &numbers(1)));
        assert_eq!(usage[0].organisation, None);
        let organisation = store.stats().read_all().unwrap().remove(0).organisation;
        assert_eq!(organisation.as_deref(), Some("Example Inc."));
        there.shutdown().unwrap();
    }
}

#[test]
fn what_has_left_is_given_to_the_host_to_keep() {
    for rig in Rig::both() {
        let (keep, kept) = channel();
        let (host, _alive) = TestHost::new();
        let host = host.on_store_last_sent(move |sent| Ok(keep.send(sent.clone())?));
        let handle = rig.spawn(reporter(), |_| Ok(answer(201)), host).unwrap();
        handle.push_stats(&stats(1)).unwrap();
        handle.report_now();
        let sent = kept.recv_timeout(PATIENCE).unwrap();
        assert_eq!(sent.status(), Some(201));
        let body: serde_json::Value = serde_json::from_str(sent.body()).unwrap();
        assert_eq!(body, serde_json::to_value(numbers(1)).unwrap());
        let age = super::host::system_time().duration_since(sent.sent()).unwrap();
        assert!(age < PATIENCE, "{age:?}");
        assert_eq!(handle.shutdown(PATIENCE).delivered, 2);
        assert!(kept.try_recv().is_err(), "statistics are not usage");
    }
}

#[test]
fn a_host_that_cannot_keep_what_has_left_reports_all_the_same() {
    for rig in Rig::both() {
        let (host, _alive) = TestHost::new();
        let count = std::sync::atomic::AtomicU32::new(0);
        let host = host.on_store_last_sent(move |_| {
            match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => panic!("a bug in the host"),
                _ => Err("the disk is full".into()),
            }
        });
        let handle = rig.spawn(reporter(), |_| Ok(answer(201)), host).unwrap();
        for delivered in 1..4 {
            handle.report_now();
            wait_for(&handle, |status| status.delivered == delivered);
        }
        assert_eq!(handle.shutdown(PATIENCE).lost, 0);
    }
}

#[test]
fn spawn_returns_before_anything_is_sent() {
    for rig in Rig::both() {
        let (gate, keeper) = Gate::new();
        let mut reporter = reporter();
        reporter.push_stats(clock(), &stats(1)).unwrap();
        let (host, _alive) = TestHost::new();
        // If `spawn` waited for this, nobody would open the gate.
        let handle = rig.spawn(
            reporter,
            move |_| {
                gate.pass();
                Ok(answer(200))
            },
            host,
        );
        let handle = handle.unwrap();
        keeper.wait();
        assert_eq!(handle.status().pending, 1);
        keeper.open();
        assert_eq!(handle.shutdown(PATIENCE).delivered, 1);
    }
}

#[test]
fn a_key_is_stored_before_it_is_sent_w43() {
    for rig in Rig::both() {
        let steps = Arc::new(Mutex::new(Vec::new()));
        let (writing, sending) = (Arc::clone(&steps), Arc::clone(&steps));
        let (host, _alive) = TestHost::new();
        let host = host.on_store(move |state| {
            let key = state.unacknowledged_key().map(|key| key.to_string());
            writing.lock().unwrap().push(("store", key));
            Ok(())
        });
        let transport = move |request: http::Request<bytes::Bytes>| {
            let key = request.headers()[IDEMPOTENCY_KEY].to_str().unwrap().replace('"', "");
            sending.lock().unwrap().push(("send", Some(key)));
            Ok(answer(201))
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        handle.report_now();
        wait_for(&handle, |status| status.delivered == 1);
        assert_eq!(handle.shutdown(PATIENCE).delivered, 1);

        let steps = steps.lock().unwrap();
        let order: Vec<_> = steps.iter().map(|(step, _)| *step).collect();
        assert_eq!(order, ["store", "store", "send", "store"]);
        assert_eq!(steps[0].1, None);
        assert!(steps[1].1.is_some());
        assert_eq!(steps[1].1, steps[2].1);
        assert_eq!(steps[3].1, None);
    }
}

#[test]
fn a_handle_answers_while_the_host_collects_and_while_a_request_is_out() {
    for rig in Rig::both() {
        let (collecting, collector) = Gate::new();
        let (sending, sender) = Gate::new();
        let (host, _alive) = TestHost::new();
        let host = host.on_collect(move |count| {
            collecting.pass();
            Ok(numbers(count))
        });
        let transport = move |_| {
            sending.pass();
            Ok(answer(200))
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        handle.report_now();
        collector.wait();
        handle.push_stats(&stats(1)).unwrap();
        assert_eq!(handle.status().accepted, 1);
        collector.open();
        sender.wait();
        handle.push_stats(&stats(2)).unwrap();
        wait_for(&handle, |status| status.accepted == 3);
        for _ in 0..3 {
            sender.open();
        }
        assert_eq!(handle.shutdown(PATIENCE).delivered, 3);
    }
}

/// The new address does not have to wait for what the old one has asked for.
#[test]
fn another_api_is_reported_to_at_once() {
    for rig in Rig::both() {
        let (told, asked) = channel();
        let (host, _alive) = TestHost::new();
        let transport = move |request: http::Request<bytes::Bytes>| {
            told.send(request.uri().host().unwrap().to_owned()).unwrap();
            let mut response = answer(200);
            if request.uri().host() == Some("usage.staging.influxdata.com") {
                response = answer(503);
                response.headers_mut().insert("retry-after", 86_400.into());
            }
            Ok(response)
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        handle.push_stats(&stats(1)).unwrap();
        assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), "usage.staging.influxdata.com");
        wait_for(&handle, |status| status.last_error.is_some());
        handle.push_stats(&stats(2)).unwrap();
        // Nothing else wakes the driver up.
        handle.set_api(Api::new(BaseUrl::PRODUCTION));
        let later = asked.recv_timeout(PATIENCE).unwrap();
        assert!(later.starts_with("usage."), "{later}");
        handle.shutdown(Duration::ZERO);
    }
}

pub(super) fn stats(count: u64) -> Stats {
    let group = StatsData::new("engine").value("n", count);
    Stats::new("influxdb").cluster_id("c").server_id("s").data(group)
}

/// The event is one that nobody is told: the status is looked at until it is there.
pub(super) fn wait_for(handle: &AnyHandle<'_>, condition: impl Fn(&Status) -> bool) {
    let begun = clock();
    while !condition(&handle.status()) {
        assert!(begun.elapsed() < PATIENCE, "{:?}", handle.status());
        std::thread::sleep(Duration::from_millis(1));
    }
}
