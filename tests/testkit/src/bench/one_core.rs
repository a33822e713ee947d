//! The same saves on one core, in a process of its own.
//!
//! What takes turns with its server is as fast as the one wakes the other. On two cores that depends on
//! where each happens to run, and may be three times slower in one run than in the next. On one core
//! it is the work that counts.

use std::process::Command;
use std::thread;

use super::over_tls;

pub(super) const WORD: &str = "--on-one-core";

/// Whether this process is on one core.
pub(super) fn is_child() -> bool {
    std::env::args().any(|word| word == WORD)
}

/// Lets a child print its rows behind those of this process, or says why there are none.
pub(super) fn run_child() -> Result<(), String> {
    // A child is bound as the thread is that starts it.
    let started = thread::spawn(|| {
        bind()?;
        let mut child = Command::new(std::env::current_exe().unwrap());
        let status = child.args(over_tls::words()).arg(WORD).status();
        assert!(status.unwrap().success(), "the saves on one core");
        Ok(())
    });
    started.join().unwrap()
}

/// Binds this thread to the last core that it may run on.
#[cfg(target_os = "linux")]
fn bind() -> Result<(), String> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let why = |error| format!("no core can be chosen: {error}");
    let allowed = sched_getaffinity(None).map_err(why)?;
    let mut one = CpuSet::new();
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core));
    one.set(last.ok_or("there is no core")?);
    sched_setaffinity(None, &one).map_err(why)
}

#[cfg(not(target_os = "linux"))]
fn bind() -> Result<(), String> {
    Err("a core can be chosen on Linux only".to_owned())
}
