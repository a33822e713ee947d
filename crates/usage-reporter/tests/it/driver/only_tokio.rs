//! What the task can do and a thread cannot.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use usage_proto::TransportError;
use usage_reporter::{Config, Phase, Reporter, SpawnError, State, SubmitError, tokio as driver};

use super::host::{Gate, PATIENCE, TestHost, numbers, promptly};
use super::reporting::stats;
use super::rig::reporter;
use crate::support::{answer, api, clock, seed_of};

type Outcome = Result<Response<Bytes>, TransportError>;

#[test]
fn a_request_in_flight_is_cancelled_at_the_deadline() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (dropped, is_dropped) = channel::<()>();
    let (started, is_out) = channel();
    let (host, alive) = TestHost::new();
    runtime.block_on(async {
        let mut reporter = reporter();
        reporter.push_stats(clock(), &stats(1)).unwrap();
        let transport = move |_| {
            let (dropped, started) = (dropped.clone(), started.clone());
            async move {
                let _dropped = dropped;
                started.send(()).unwrap();
                pending::<Outcome>().await
            }
        };
        let handle = driver::spawn(reporter, transport, host).unwrap();
        // The one thread of this runtime gets there before a task that was woken later.
        until(|| is_out.try_recv().is_ok()).await;
        let status = handle.shutdown(Duration::from_millis(10)).await;
        assert_eq!(status.delivered, 0);
        until(|| handle.status().phase == Phase::Stopped).await;
        assert_eq!(handle.status().lost, 1);
        // The last state is stored behind that, and this runtime does nothing once this is over.
        until(|| alive.is_over()).await;
    });
    // The transport is dropped with its future: nobody holds a sender any more.
    assert!(is_dropped.recv_timeout(PATIENCE).is_err());
    assert_ne!(is_dropped.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
}

#[test]
fn a_collector_that_hangs_holds_nothing_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (gate, keeper) = Gate::new();
    let (host, _alive) = TestHost::new();
    let host = host.on_collect(move |count| {
        gate.pass();
        Ok(numbers(count))
    });
    runtime.block_on(async {
        let handle = driver::spawn(reporter(), |_| async { Ok(answer(200)) }, host).unwrap();
        handle.report_now();
        let waiting = tokio::task::spawn_blocking(move || {
            keeper.wait();
            keeper
        });
        let keeper = waiting.await.unwrap();
        handle.push_stats(&stats(1)).unwrap();
        until(|| handle.status().delivered == 1).await;
        keeper.open();
        until(|| handle.status().delivered == 2).await;
        assert_eq!(handle.shutdown(PATIENCE).await.lost, 0);
    });
}

/// It is asked once, however often numbers are due meanwhile; and the end of the runtime, as of a
/// program, does not wait for it.
#[test]
fn a_collector_that_never_returns_is_asked_once_and_keeps_no_runtime_alive() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (gate, keeper) = Gate::new();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let (host, alive) = TestHost::new();
    let host = host.on_collect(move |count| {
        counted.fetch_add(1, Ordering::SeqCst);
        gate.pass();
        Ok(numbers(count))
    });
    let config = Config::new().collect_timeout(Duration::from_millis(1));
    let reporter =
        Reporter::new(config, api(), State::new(), seed_of(1), clock(), SystemTime::UNIX_EPOCH);
    let (told, events) = channel();
    let handle = runtime.block_on(async {
        let in_flight = Arc::new(());
        let held = Arc::downgrade(&in_flight);
        let transport = move |_| {
            told.send(()).unwrap();
            let held = held.upgrade();
            async {
                let outcome = pending::<Outcome>().await;
                drop(held);
                outcome
            }
        };
        let handle = driver::spawn(reporter.unwrap(), transport, host).unwrap();
        handle.report_now();
        until(|| calls.load(Ordering::SeqCst) == 1).await;
        for _ in 0..50 {
            handle.report_now();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        handle.push_stats(&stats(1)).unwrap();
        until(|| events.try_recv().is_ok()).await;
        // It has not returned: the task waits for it, and whoever waits for the task need not. The
        // request is cancelled all the same.
        let status = handle.shutdown(Duration::from_millis(10)).await;
        assert_eq!(status.delivered, 0);
        until(|| handle.status().phase == Phase::Stopped).await;
        until(|| Arc::strong_count(&in_flight) == 1).await;
        handle
    });
    assert!(!alive.is_over());
    promptly(|| drop(runtime));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    keeper.open();
    alive.wait_for_end();
    assert_eq!(handle.status().phase, Phase::Stopped);
}

#[test]
fn a_runtime_that_is_dropped_leaves_a_closed_reporter() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (host, alive) = TestHost::new();
    let handle = {
        let _context = runtime.enter();
        driver::spawn(reporter(), |_| async { Ok(answer(200)) }, host).unwrap()
    };
    // The task was never polled.
    drop(runtime);
    assert!(alive.is_over());
    assert_eq!(handle.push_stats(&stats(1)), Err(SubmitError::Closed));
}

/// Before there is a future at all.
#[test]
fn a_transport_that_panics_at_once_has_failed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (host, _alive) = TestHost::new();
    let mut calls = 0;
    let transport = move |_| {
        calls += 1;
        assert!(calls > 1, "a bug in the transport");
        async { Ok(answer(200)) }
    };
    runtime.block_on(async {
        let handle = driver::spawn(reporter(), transport, host).unwrap();
        handle.push_stats(&stats(1)).unwrap();
        until(|| handle.status().delivered == 1).await;
    });
}

/// Looks until it is so.
async fn until(condition: impl Fn() -> bool) {
    let begun = clock();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "it does not come about");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn outside_of_a_runtime_and_without_a_timer_there_is_an_error() {
    let spawn = || {
        let (host, _alive) = TestHost::new();
        driver::spawn(reporter(), |_| async { Ok(answer(200)) }, host)
    };
    assert!(matches!(spawn(), Err(SpawnError::Runtime)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _context = runtime.enter();
    assert!(matches!(spawn(), Err(SpawnError::Runtime)));
}
