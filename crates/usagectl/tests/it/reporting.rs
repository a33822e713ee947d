//! `usagectl report` in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::usagectl::{self, PATIENCE, Ran};

/// A body that a program prints.
pub(crate) const NUMBERS: &str = r#"echo '[{"values":{"num_databases":3}}]'"#;

pub(crate) struct Reporting {
    child: Child,
    log: Receiver<String>,
    /// What was read of the log so far.
    read: String,
}

/// A report every second of what a shell prints.
pub(crate) fn command(url: &str, state: &Path, options: &[&str], script: &str) -> Command {
    command_of("influxdb", "1s", url, state, options, script)
}

/// The same for another product and another period.
pub(crate) fn command_of(
    product: &str,
    every: &str,
    url: &str,
    state: &Path,
    options: &[&str],
    script: &str,
) -> Command {
    let mut command = usagectl::command();
    command
        .args(["report", "--product", product, "--every", every, "--url", url, "--state"])
        .arg(state)
        .args(options)
        .args(["--", "sh", "-c", script]);
    command
}

/// A place for a state.
pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

impl Reporting {
    pub(crate) fn start(url: &str, state: &Path, options: &[&str], script: &str) -> Self {
        Self::spawn(&mut command(url, state, options, script))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (told, log) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, log, read: String::new() }
    }

    /// Reads the log up to a line that contains `part`, and gives that line.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, part: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            assert!(line.is_ok(), "no `{part}` in the log:\n{}", self.read);
            let line = line.unwrap();
            self.read = format!("{}{line}\n", self.read);
            if line.contains(part) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends a signal again and again until that has ended it.
    pub(crate) fn insist(mut self, signal: Signal) -> Ran {
        usagectl::insist(&mut self.child, signal);
        self.end()
    }

    /// Asks it to stop, and waits for its end. Its log is that of its whole life.
    pub(crate) fn stop(self) -> Ran {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits for its end, which something else brings about.
    pub(crate) fn end(mut self) -> Ran {
        // In all: one that does not end may say something each second.
        let late = Instant::now() + PATIENCE;
        while let Ok(line) = self.log.recv_timeout(late.saturating_duration_since(Instant::now())) {
            self.read = format!("{}{line}\n", self.read);
        }
        // The log ends with the process: whatever is left comes at once.
        assert_eq!(self.log.try_recv(), Err(TryRecvError::Disconnected), "it does not end");
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        Ran { code: status.code(), stdout, stderr: std::mem::take(&mut self.read) }
    }
}

/// A test that fails leaves no process behind.
impl Drop for Reporting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
