//! Machines that sleep: the wall clock goes on, and the one that a driver waits by does not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use usage_reporter::{State, tokio as driver};

use super::host::{PATIENCE, TestHost, numbers, system_time};
use super::reporting::{stats, wait_for};
use super::rig::{Rig, reporter};
use crate::support::{HOUR, MINUTE, PERIOD, answer};

#[test]
fn what_a_machine_has_slept_over_is_reported_when_it_wakes_up() {
    for rig in Rig::both() {
        let ahead = Arc::new(AtomicU64::new(0));
        let wall = Arc::clone(&ahead);
        let states = Arc::new(Mutex::new(State::new()));
        let disk = Arc::clone(&states);
        let (host, _alive) = TestHost::new();
        let host = host
            .on_wall_now(move || system_time() + Duration::from_secs(wall.load(Ordering::SeqCst)))
            .on_store(move |state| {
                *disk.lock().unwrap() = state.clone();
                Ok(())
            });
        let handle = rig.spawn(reporter(), |_| Ok(answer(200)), host).unwrap();
        handle.report_now();
        wait_for(&handle, |status| status.delivered == 1);

        // Half a minute is a clock that is being adjusted.
        ahead.store(30, Ordering::SeqCst);
        handle.push_stats(&stats(1)).unwrap();
        wait_for(&handle, |status| status.delivered == 2);
        assert!(handle.status().next_due.is_some());

        let three_days = 3 * 86_400;
        ahead.store(three_days, Ordering::SeqCst);
        // Anything wakes the driver up; without it, the driver looks by itself after some minutes.
        handle.push_stats(&stats(2)).unwrap();
        wait_for(&handle, |status| status.delivered == 4);

        // Back to where it was: nothing happens, and nothing is held up.
        ahead.store(0, Ordering::SeqCst);
        handle.push_stats(&stats(3)).unwrap();
        wait_for(&handle, |status| status.delivered == 5);
        assert_eq!(handle.shutdown(PATIENCE).delivered, 5);
        let due = states.lock().unwrap().next_due().unwrap();
        assert!(due > system_time() + 11 * HOUR, "{due:?}");
    }
}

/// A host whose clock panics has the system's.
#[test]
fn a_wall_clock_that_panics_ends_nothing() {
    for rig in Rig::both() {
        let (host, _alive) = TestHost::new();
        let host = host.on_wall_now(|| panic!("a bug in the host"));
        let handle = rig.spawn(reporter(), |_| Ok(answer(200)), host).unwrap();
        handle.report_now();
        wait_for(&handle, |status| status.delivered == 1);
        assert_eq!(handle.shutdown(PATIENCE).lost, 0);
    }
}

/// In the virtual time of a runtime: a driver that waited for its slot at once would look at the wall
/// clock twice in twelve hours.
#[test]
fn a_driver_looks_at_the_wall_clock_every_few_minutes() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    let looks = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&looks);
    let (host, _alive) = TestHost::new();
    let host = host.on_collect(|count| Ok(numbers(count))).on_wall_now(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        SystemTime::UNIX_EPOCH
    });
    let hours = runtime.block_on(async {
        let handle = driver::spawn(reporter(), |_| async { Ok(answer(200)) }, host).unwrap();
        // The first slot is stored on a thread of the host's, of which the virtual time knows nothing:
        // this task is awake until that is done, and the driver waits for its slot.
        // It looks at the start, before it stores, for the stamp, and when that is done.
        while looks.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        let due = handle.status().next_due.unwrap();
        let left = due.duration_since(tokio::time::Instant::now().into_std());
        tokio::time::sleep(left.min(PERIOD) - MINUTE).await;
        left.as_secs() / 3600
    });
    assert!(hours > 1, "the slot comes too soon for this test: another seed");
    let looks = looks.load(Ordering::SeqCst);
    assert!((6 * hours..40 * hours).contains(&looks), "{looks} in {hours} h");
}
