//! A handle that is dropped by mistake is told of, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tracing::Level;

use super::host::{PATIENCE, TestHost};
use super::logged::logged;
use super::reporting::{stats, wait_for};
use super::rig::{AnyHandle, Rig, reporter};
use crate::support::answer;

/// A driver that sends what it is given, and how often it has.
fn spawn(rig: &Rig) -> (AnyHandle<'_>, Arc<AtomicU32>) {
    let sent = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&sent);
    let (host, _alive) = TestHost::new();
    let transport = move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(answer(200))
    };
    (rig.spawn(reporter(), transport, host).unwrap(), sent)
}

#[test]
fn a_handle_that_is_dropped_before_anything_was_sent_says_so_once() {
    for rig in Rig::both() {
        let (handle, sent) = spawn(&rig);
        let other = handle.clone();
        let lines = logged(|| {
            drop(handle);
            drop(other);
        });
        let [(level, message)] = &*lines else { panic!("{lines:?}") };
        assert_eq!(*level, Level::INFO);
        assert!(message.contains("ends before anything was sent"), "{message}");
        assert_eq!(sent.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn a_handle_that_was_used_or_shut_down_says_nothing() {
    for rig in Rig::both() {
        // Sent, and not told of a close: the host may know why.
        let (handle, _) = spawn(&rig);
        handle.push_stats(&stats(1)).unwrap();
        wait_for(&handle, |status| status.delivered == 1);
        assert_eq!(logged(|| drop(handle)), []);

        // Shut down with nothing to send.
        for limit in [PATIENCE, Duration::ZERO] {
            let (handle, _) = spawn(&rig);
            handle.shutdown(limit);
            assert_eq!(logged(|| drop(handle)), []);
        }
    }
}
