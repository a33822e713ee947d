//! The drivers: the schedule in a living process. What holds for both is tested on both.

#![expect(clippy::disallowed_types, reason = "a living process has sockets")]
#![expect(clippy::disallowed_methods, reason = "a living process has a clock and an environment")]

mod dropped;
mod end;
#[cfg(unix)]
mod fork;
mod host;
mod log;
mod logged;
#[cfg(target_os = "linux")]
mod memory;
mod off;
mod only_tokio;
mod reporting;
mod rig;
mod state_file;
mod state_lock;
#[cfg(unix)]
mod state_planted;
mod suspend;
mod trouble;
mod waiting;
