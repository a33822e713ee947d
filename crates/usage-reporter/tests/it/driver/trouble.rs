//! A host or a transport that misbehaves does not end the reporting.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc::channel};

use usage_proto::TransportError;

use super::host::{PATIENCE, TestHost, numbers};
use super::reporting::{stats, wait_for};
use super::rig::{Rig, reporter};
use crate::support::answer;

#[test]
fn a_collector_that_panics_or_fails_is_asked_again_the_next_time() {
    for rig in Rig::both() {
        let (host, _alive) = TestHost::new();
        let host = host.on_collect(|count| match count {
            1 => panic!("no numbers"),
            2 => Err("still no numbers".into()),
            count => Ok(numbers(count)),
        });
        let handle = rig.spawn(reporter(), |_| Ok(answer(200)), host).unwrap();
        // Whoever asks while numbers are being collected is told those.
        wait_for(&handle, |status| {
            handle.report_now();
            status.delivered > 0
        });
        handle.shutdown(PATIENCE);
    }
}

#[test]
fn a_transport_that_panics_has_failed_and_is_tried_again() {
    for rig in Rig::both() {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let (host, _alive) = TestHost::new();
        let transport = move |_| {
            assert!(counted.fetch_add(1, Ordering::SeqCst) > 0, "a bug in the transport");
            Ok(answer(200))
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        handle.push_stats(&stats(1)).unwrap();
        wait_for(&handle, |status| status.delivered == 1);
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        handle.shutdown(PATIENCE);
    }
}

#[test]
fn a_state_that_cannot_be_stored_does_not_hold_reports_up() {
    for rig in Rig::both() {
        let (host, _alive) = TestHost::new();
        let tries = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tries);
        let host = host.on_store(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("a bug in the host"),
            _ => Err("the disk is full".into()),
        });
        let handle = rig.spawn(reporter(), |_| Ok(answer(200)), host).unwrap();
        handle.report_now();
        wait_for(&handle, |status| status.delivered == 1);
        handle.report_now();
        wait_for(&handle, |status| status.delivered == 2);
        assert_eq!(handle.shutdown(PATIENCE).lost, 0);
        // The first slot, and a key and an acknowledgement for each report.
        assert_eq!(tries.load(Ordering::SeqCst), 5);
    }
}

#[test]
fn what_no_attempt_delivers_is_lost_and_counted() {
    for rig in Rig::both() {
        let (host, _alive) = TestHost::new();
        let (told, attempts) = channel();
        let transport = move |_| {
            let _ = told.send(());
            Err(TransportError::connect("refused"))
        };
        let handle = rig.spawn(reporter(), transport, host).unwrap();
        handle.push_stats(&stats(1)).unwrap();
        for _ in 0..4 {
            attempts.recv_timeout(PATIENCE).unwrap();
        }
        let status = handle.shutdown(PATIENCE);
        assert_eq!((status.accepted, status.lost, status.pending), (1, 1, 0));
        assert!(status.in_outage);
        assert!(status.last_error.unwrap().to_string().starts_with("could not connect"));
    }
}
