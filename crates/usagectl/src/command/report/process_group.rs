//! COMMAND and all that it starts, as something that can be ended at once: when it is done, and when
//! this process is gone, whatever way.
//!
//! Its group is led by a process that does nothing: this program once more, which waits for the end
//! of a pipe that the system closes with this process. Then it ends its group. A signal for the
//! death of a parent would do the same for COMMAND alone, and not for what it has started; and to
//! ask for it between fork and exec is unsafe code.

use std::ffi::OsString;
use std::io;
#[cfg(unix)]
use std::process::Stdio;

use tokio::process::{Child, Command};

/// The subcommand that is the leader. It is not for people.
pub(crate) const LEADER: &str = "__lead-process-group";

/// Ends its processes when it is told to, and when this process is gone.
pub(super) struct ProcessGroup {
    #[cfg(unix)]
    leader: Child,
    #[cfg(unix)]
    number: rustix::process::Pid,
}

/// Where this program is: an upgrade may have removed the file, or put another one there.
pub(super) fn this_program() -> io::Result<OsString> {
    // Resolved by the child, which is this program until it is another one.
    const RUNNING: &str = "/proc/self/exe";
    if std::fs::metadata(RUNNING).is_ok() {
        return Ok(RUNNING.into());
    }
    Ok(std::env::current_exe()?.into())
}

#[cfg(unix)]
impl ProcessGroup {
    /// `program` is this one.
    pub(super) fn start(program: &OsString) -> io::Result<Self> {
        let leader = Command::new(program)
            .arg(LEADER)
            // Held open by this process alone, and never written to.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let number = leader.id().and_then(|id| i32::try_from(id).ok());
        let number = number.and_then(rustix::process::Pid::from_raw);
        let number = number.ok_or_else(|| io::Error::other("a process has no number"))?;
        Ok(Self { leader, number })
    }

    /// Starts a program in the group.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        command.process_group(self.number.as_raw_nonzero().get()).kill_on_drop(true).spawn()
    }

    /// Ends `child`, and all that it has started and that has not left the group on purpose.
    pub(super) async fn end(mut self, child: Option<&mut Child>) {
        use rustix::process::{Signal, kill_process_group};

        // The leader is reaped later, so that the number is still the group's.
        let _ = kill_process_group(self.number, Signal::KILL);
        if let Some(child) = child {
            let _ = child.kill().await;
        }
        let _ = self.leader.kill().await;
    }
}

/// There are no groups of this kind: the program alone is ended.
#[cfg(not(unix))]
impl ProcessGroup {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(super) fn start(_: &OsString) -> io::Result<Self> {
        Ok(Self {})
    }

    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        command.kill_on_drop(true).spawn()
    }

    pub(super) async fn end(self, child: Option<&mut Child>) {
        if let Some(child) = child {
            let _ = child.kill().await;
        }
    }
}

/// The life of the leader.
#[cfg(unix)]
pub(crate) fn lead() {
    use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group};

    // Whoever tries this by hand does not end other people's processes.
    if getpgrp() != getpid() {
        return;
    }
    // Whatever comes, the end of it is the end of the process that has started this one.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    let _ = kill_current_process_group(Signal::KILL);
}

#[cfg(not(unix))]
pub(crate) fn lead() {}
