//! What the task can do and a thread cannot.

use std::future::pending;
use std::sync::mpsc::channel;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use usage_proto::TransportError;
use usage_reporter::{Phase, SpawnError, tokio as driver};

use super::host::{Gate, PATIENCE, TestHost, numbers};
use super::reporting::stats;
use super::rig::reporter;
use crate::support::{answer, clock};

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
        while is_out.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        let status = handle.shutdown(Duration::from_millis(10)).await;
        assert_eq!(status.delivered, 0);
        while handle.status().phase != Phase::Stopped {
            tokio::task::yield_now().await;
        }
        assert_eq!(handle.status().lost, 1);
    });
    // The transport is dropped with its future: nobody holds a sender any more.
    assert!(is_dropped.recv_timeout(PATIENCE).is_err());
    assert_ne!(is_dropped.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
    alive.wait_for_end();
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
        while handle.status().delivered == 0 {
            tokio::task::yield_now().await;
        }
        keeper.open();
        while handle.status().delivered == 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(handle.shutdown(PATIENCE).await.lost, 0);
    });
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
