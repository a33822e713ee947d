//! Who waits for a reporter: until a condition holds, or until all was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use usage_proto::Server;
use usage_reporter::{Config, Phase, Reporter, State};

use super::host::{Gate, PATIENCE, TestHost, promptly};
use super::reporting::stats;
use super::rig::{Rig, reporter};
use crate::support::{answer, api, clock, seed_of, wall_of_day};

const AGES: Duration = Duration::from_secs(3600);

/// Ten minutes to spread the start over, and twelve hours to the first slot.
#[test]
fn a_flush_sends_what_waits_and_returns_when_it_is_stored() {
    for rig in Rig::both() {
        for count in 0..20 {
            let stored = Arc::new(AtomicU32::new(0));
            let (host, alive) = TestHost::new();
            let store = Arc::clone(&stored);
            let host = host.on_store(move |state| {
                if state.acknowledged().is_some() {
                    store.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            });
            let seed = seed_of(count);
            let made =
                Reporter::new(Config::new(), api(), State::new(), seed, clock(), wall_of_day());
            let mut reporter = made.unwrap();
            reporter.register(clock(), &Server::new()).unwrap();
            let handle = rig.spawn(reporter, |_| Ok(answer(201)), host).unwrap();
            assert!(promptly(|| handle.flush(PATIENCE)));
            assert_eq!(handle.status().delivered, 1, "the registration");
            handle.report_now();
            handle.push_stats(&stats(1)).unwrap();
            assert!(promptly(|| handle.flush(PATIENCE)));
            let status = handle.status();
            assert_eq!((status.phase, status.delivered), (Phase::Running, 3));
            assert_eq!(stored.load(Ordering::SeqCst), 1);
            handle.shutdown(PATIENCE);
            assert!(promptly(|| handle.flush(AGES)), "nothing is left of what has stopped");
            alive.wait_for_end();
        }
    }
}

#[test]
fn a_flush_ends_at_its_limit_and_before_it_where_the_api_wants_a_pause() {
    for rig in Rig::both() {
        let (gate, keeper) = Gate::new();
        let (host, _alive) = TestHost::new();
        let transport = move |_| {
            gate.pass();
            let mut busy = answer(503);
            busy.headers_mut().insert("retry-after", 7200.into());
            Ok(busy)
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        handle.push_stats(&stats(1)).unwrap();
        assert!(!promptly(|| handle.flush(Duration::from_millis(1))), "it is in flight");
        keeper.open();
        assert!(!promptly(|| handle.flush(AGES)), "the API wants a pause of two hours");
        assert_eq!(handle.status().pending, 1);
        assert!(!promptly(|| handle.wait_until(|_| false, Duration::ZERO)));
        handle.shutdown(Duration::ZERO);
    }
}

#[test]
fn a_condition_is_asked_at_each_change() {
    for rig in Rig::both() {
        let (gate, keeper) = Gate::new();
        let (host, alive) = TestHost::new();
        let transport = move |_| {
            gate.pass();
            Ok(answer(200))
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        thread::scope(|scope| {
            let accepted = handle.clone();
            let accepted = scope
                .spawn(move || promptly(|| accepted.wait_until(|now| now.accepted == 2, AGES)));
            let delivered = handle.clone();
            let delivered = scope
                .spawn(move || promptly(|| delivered.wait_until(|now| now.delivered == 2, AGES)));
            let never = handle.clone();
            let never = scope.spawn(move || promptly(|| never.wait_until(|_| false, AGES)));
            for count in 0..2 {
                // While the driver waits for the API.
                handle.push_stats(&stats(count)).unwrap();
            }
            assert!(accepted.join().unwrap());
            keeper.open();
            keeper.open();
            assert!(delivered.join().unwrap());
            handle.shutdown(PATIENCE);
            assert!(!never.join().unwrap(), "what has stopped does not change any more");
        });
        alive.wait_for_end();
    }
}
