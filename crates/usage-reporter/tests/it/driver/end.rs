//! How it ends: by `shutdown`, or with the last handle. Neither waits longer than it is told to.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use usage_proto::{Api, BaseUrl, Server};
use usage_reporter::{Config, Phase, Reporter, State, SubmitError};

use super::host::{Gate, PATIENCE, TestHost, numbers, promptly};
use super::reporting::{stats, wait_for};
use super::rig::{Rig, reporter, reporter_for};
use crate::support::{answer, api, clock, seed_of, wall_of_day};

#[test]
fn shutdown_sends_what_waits() {
    for rig in Rig::both() {
        let (gate, keeper) = Gate::new();
        let (host, alive) = TestHost::new();
        let transport = move |_| {
            gate.pass();
            Ok(answer(200))
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        for count in 0..5 {
            handle.push_stats(&stats(count)).unwrap();
            keeper.open();
        }
        let status = handle.shutdown(PATIENCE);
        assert_eq!((status.phase, status.delivered, status.pending), (Phase::Stopped, 5, 0));
        // The host, and with it its files, are gone when the call returns.
        assert!(alive.is_over());
        assert_eq!(handle.push_stats(&stats(6)), Err(SubmitError::Closed));
        assert_eq!(handle.shutdown(PATIENCE).phase, Phase::Stopped);
    }
}

/// Programs that do not live long lose nothing that can be sent.
#[test]
fn shutdown_sends_a_registration_and_usage_that_was_asked_for() {
    for rig in Rig::both() {
        for count in 0..20 {
            let (host, alive) = TestHost::new();
            // Ten minutes to spread the start over, and twelve hours to the first slot.
            let config = Config::new();
            let seed = seed_of(count);
            let made = Reporter::new(config, api(), State::new(), seed, clock(), wall_of_day());
            let mut reporter = made.unwrap();
            reporter.register(clock(), &Server::new()).unwrap();
            let handle = rig.spawn(reporter, |_| Ok(answer(201)), host).unwrap();
            handle.report_now();
            let status = handle.shutdown(PATIENCE);
            assert_eq!((status.phase, status.delivered, status.lost), (Phase::Stopped, 2, 0));
            assert!(alive.is_over());
        }
    }
}

#[test]
fn shutdown_waits_for_numbers_that_are_being_collected_and_no_longer_than_it_may() {
    let with = |in_time| Rig::both().into_iter().map(move |rig| (rig, in_time));
    for (rig, in_time) in with(true).chain(with(false)) {
        let (gate, keeper) = Gate::new();
        let (host, alive) = TestHost::new();
        let host = host.on_collect(move |count| {
            gate.pass();
            Ok(numbers(count))
        });
        let handle = rig.spawn(reporter(), |_| Ok(answer(200)), host).unwrap();
        handle.report_now();
        keeper.wait();
        if in_time {
            std::thread::scope(|scope| {
                let closing = handle.clone();
                let ended = scope.spawn(move || closing.shutdown(PATIENCE));
                wait_for(&handle, |status| status.phase != Phase::Running);
                keeper.open();
                let end = ended.join().unwrap();
                assert_eq!((end.phase, end.delivered), (Phase::Stopped, 1));
            });
        } else {
            assert_ne!(promptly(|| handle.shutdown(Duration::ZERO)).phase, Phase::Running);
            keeper.open();
        }
        alive.wait_for_end();
        assert_eq!(handle.status().accepted, u64::from(in_time));
    }
}

#[test]
fn shutdown_without_time_returns_while_the_server_holds_the_request() {
    for rig in Rig::both() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let api = Api::new(BaseUrl::new(&url).unwrap());
        let client = usage_ureq::Client::new(api.clone()).unwrap();
        let mut reporter = reporter_for(api, State::new());
        reporter.push_stats(clock(), &stats(1)).unwrap();

        let (host, alive) = TestHost::new();
        let handle = rig.spawn(reporter, move |request| client.execute(request), host).unwrap();
        let (mut connection, _) = listener.accept().unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut start = [0; 4];
        connection.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"POST");

        // If it waited for the answer, it would wait for this test to give one.
        let status = promptly(|| handle.shutdown(Duration::ZERO));
        assert_eq!(status.delivered, 0);
        assert_ne!(status.phase, Phase::Running);
        if let Rig::Thread = rig {
            assert!(!alive.is_over());
            assert_eq!(status.pending, 1);
        }
        drop((connection, listener));
        alive.wait_for_end();
        let status = handle.status();
        assert_eq!((status.phase, status.lost, status.pending), (Phase::Stopped, 1, 0));
    }
}

#[test]
fn after_the_deadline_no_attempt_starts() {
    for rig in Rig::both() {
        let (gate, keeper) = Gate::new();
        let attempts = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&attempts);
        let (host, alive) = TestHost::new();
        let transport = move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            gate.pass();
            Ok(answer(200))
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        handle.push_stats(&stats(1)).unwrap();
        handle.push_stats(&stats(2)).unwrap();
        keeper.wait();
        promptly(|| handle.shutdown(Duration::ZERO));
        keeper.open();
        keeper.open();
        alive.wait_for_end();
        let status = handle.status();
        assert_eq!((status.phase, status.pending), (Phase::Stopped, 0));
        assert_eq!(status.delivered + status.lost, 2);
        // The one that was out may have got through. The other never left.
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn the_last_handle_ends_the_reporting_and_does_not_wait_for_it() {
    for rig in Rig::both() {
        let (gate, keeper) = Gate::new();
        let (host, alive) = TestHost::new();
        let transport = move |_| {
            gate.pass();
            Ok(answer(200))
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        let other = handle.clone();
        drop(handle);
        assert_eq!(other.status().phase, Phase::Running);
        other.push_stats(&stats(1)).unwrap();
        keeper.wait();
        // A request is out, and stays out until the gate opens: this must not wait for it.
        promptly(|| drop(other));
        keeper.open();
        alive.wait_for_end();
    }
}

/// Longer than any clock lasts.
#[test]
fn all_the_time_in_the_world_is_no_more_than_is_needed() {
    for rig in Rig::both() {
        let (host, alive) = TestHost::new();
        let handle = rig.spawn(reporter(), |_| Ok(answer(200)), host).unwrap();
        handle.push_stats(&stats(1)).unwrap();
        let status = promptly(|| handle.shutdown(Duration::MAX));
        assert_eq!((status.phase, status.delivered), (Phase::Stopped, 1));
        assert!(alive.is_over());
    }
}

/// A reporter that nobody drives takes no reports.
#[test]
fn a_driver_that_dies_leaves_a_closed_reporter() {
    for rig in Rig::both() {
        let (host, alive) = TestHost::new();
        let handle = rig.spawn(reporter(), |_| Ok(answer(200)), host.product("")).unwrap();
        alive.wait_for_end();
        wait_for(&handle, |status| status.phase == Phase::Stopped);
        assert_eq!(handle.push_stats(&stats(1)), Err(SubmitError::Closed));
        assert_eq!(promptly(|| handle.shutdown(PATIENCE)).phase, Phase::Stopped);
    }
}
