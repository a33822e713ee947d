//! `usagectl serve` in a process of its own.

use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use usage_server::{Database, Store};

use crate::usagectl::{self, Ran};

pub(crate) struct Serving {
    child: Option<Child>,
    stdout: Lines<BufReader<ChildStdout>>,
    directory: TempDir,
    pub(crate) url: String,
}

impl Serving {
    /// Starts it on a free port, and waits for the line that says where.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    /// The same, in a directory where something is already.
    pub(crate) fn start_in(directory: TempDir, arguments: &[&str]) -> Self {
        Self::spawn(directory, arguments, Stdio::piped())
    }

    /// The same, with a log that goes elsewhere.
    pub(crate) fn start_with_log(arguments: &[&str], log: impl Into<Stdio>) -> Self {
        Self::spawn(tempfile::tempdir().unwrap(), arguments, log)
    }

    /// The same, as another program starts it: with a variable, and with what else there is to say.
    pub(crate) fn start_by(command: &mut Command, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::over(command, directory, arguments, Stdio::piped())
    }

    fn spawn(directory: TempDir, arguments: &[&str], log: impl Into<Stdio>) -> Self {
        let listen = ["--listen", "127.0.0.1:0"];
        Self::over(&mut usagectl::command(), directory, &[&listen, arguments].concat(), log)
    }

    fn over(
        command: &mut Command,
        directory: TempDir,
        arguments: &[&str],
        log: impl Into<Stdio>,
    ) -> Self {
        let mut child = command
            .args(["serve", "--database", "usage.db"])
            .args(arguments)
            .current_dir(directory.path())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = stdout.next().expect("a line when it is ready").unwrap();
        let url = line.strip_prefix("listening on ").unwrap_or(&line).to_owned();
        Self { child: Some(child), stdout, directory, url }
    }

    /// The next line of its standard output.
    pub(crate) fn line(&mut self) -> String {
        self.stdout.next().unwrap().unwrap()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.path().join("usage.db")
    }

    /// What it has stored, read beside it.
    pub(crate) fn store(&self) -> Store {
        Store::open(&Database::file(self.database())).unwrap()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    /// Sends a signal again and again until that has ended it.
    pub(crate) fn insist(mut self, signal: Signal) -> Ran {
        let mut child = self.child.take().unwrap();
        usagectl::insist(&mut child, signal);
        usagectl::finish(child)
    }

    /// Waits for its end, which something else brings about.
    pub(crate) fn finish(mut self) -> Ran {
        usagectl::finish(self.child.take().unwrap())
    }

    /// Reads its log up to a line that contains `part`.
    pub(crate) fn wait_for_log(&mut self, part: &str) {
        let mut log = BufReader::new(self.child.as_mut().unwrap().stderr.take().unwrap()).lines();
        log.find(|line| line.as_ref().unwrap().contains(part)).expect("the line").unwrap();
    }

    /// Stops it, and keeps its database.
    pub(crate) fn keep(mut self) -> TempDir {
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        assert_eq!(self.stop().code, Some(0));
        directory
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) fn stop(self) -> Ran {
        self.stop_by(Signal::TERM)
    }

    pub(crate) fn stop_by(mut self, signal: Signal) -> Ran {
        let child = self.child.take().unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        usagectl::finish(child)
    }
}

/// A test that fails leaves no server behind.
impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
