//! A process that forks while it reports: the child's copy is closed, and holds nothing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fork::Fork;
use usage_proto::{Api, BaseUrl, Server};
use usage_reporter::{Phase, StateFile, SubmitError};

use super::host::{PATIENCE, TestHost};
use super::reporting::stats;
use super::rig::{AnyHandle, Rig, reporter};
use crate::support::{answer, clock};

const FOLDER: &str = "USAGE_REPORTER_FORK_CHILD";

#[test]
fn a_child_that_was_forked_is_closed_at_once_and_holds_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Parent::start(folder.path());
    // Both drivers, and their children, which live on.
    for name in ["thread", "task"] {
        parent.wait_for(&format!("{name}: the child is closed"));
        parent.wait_for(&format!("{name}: the parent goes on"));
        fs::write(folder.path().join("go on"), "").unwrap();
        parent.wait_for(&format!("{name}: the lock is free again"));
    }
    // They live on, and hold none of the locks.
    assert!(fs::exists(folder.path().join("thread.child")).unwrap());
    for name in ["thread", "task"] {
        drop(StateFile::open(folder.path().join(name)).unwrap());
    }
}

/// The parent is killed while it reports, and the child lives on.
#[test]
fn a_lock_dies_with_the_process_that_took_it_and_not_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Parent::start(folder.path());
    parent.wait_for("thread: the parent goes on");
    let path = folder.path().join("thread");
    assert!(StateFile::open(&path).is_err(), "the parent reports");
    parent.process.kill().unwrap();
    parent.process.wait().unwrap();
    drop(StateFile::open(&path).unwrap());
}

/// The process that forks.
struct Parent {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    folder: PathBuf,
}

impl Parent {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "driver::fork::in_a_process_of_its_own", "--nocapture"])
            .arg("--test-threads=1")
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, folder: folder.to_owned() }
    }

    fn wait_for(&mut self, text: &str) {
        let mut seen = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            if line.contains(text) {
                return;
            }
            seen.push(line);
        }
        panic!("no {text:?} in {seen:#?}");
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        // Its children are told to end, and end by themselves if they are not.
        let _ = fs::write(self.folder.join("end"), "");
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Until nobody has the other end.
        self.lines.by_ref().for_each(drop);
    }
}

/// Does nothing but in the process that the tests above start.
#[test]
fn in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    for (rig, name) in Rig::both().into_iter().zip(["thread", "task"]) {
        let path = folder.join(name);
        let file = StateFile::open(&path).unwrap();
        let (host, alive) = TestHost::new();
        let host = host.on_store(move |state| Ok(file.store(state)?));
        let handle = rig.spawn(reporter(), |_| Ok(answer(200)), host).unwrap();
        handle.report_now();
        wait_until(|| handle.status().delivered == 1);

        let told = folder.join(format!("{name}.child"));
        if let Fork::Child = fork::fork().unwrap() {
            live_as_a_child(&folder, &told, handle);
        }
        wait_until(|| fs::exists(&told).unwrap());
        assert_eq!(fs::read_to_string(&told).unwrap(), "", "{name}");
        say(&format!("{name}: the child is closed"));

        handle.push_stats(&stats(1)).unwrap();
        wait_until(|| handle.status().delivered == 2);
        say(&format!("{name}: the parent goes on"));
        // The end, but for the test that kills this.
        wait_until(|| fs::exists(folder.join("go on")).unwrap());
        let status = handle.shutdown(PATIENCE);
        assert_eq!((status.phase, status.delivered), (Phase::Stopped, 2));
        alive.wait_for_end();
        drop(StateFile::open(&path).unwrap());
        say(&format!("{name}: the lock is free again"));
    }
    // Until the test is done with it.
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// Everything that a child can do with a handle, and then it lives on.
fn live_as_a_child(folder: &Path, told: &Path, handle: AnyHandle<'_>) -> ! {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        assert_eq!(handle.push_stats(&stats(1)), Err(SubmitError::Closed));
        assert_eq!(handle.register(&Server::new()), Err(SubmitError::Closed));
        handle.report_now();
        handle.set_api(Api::new(BaseUrl::PRODUCTION));
        let begun = clock();
        let status = handle.shutdown(PATIENCE);
        assert_eq!((status.phase, status.accepted), (Phase::Stopped, 0));
        assert!(begun.elapsed() < PATIENCE / 2, "it waits for nobody");
        drop(handle);
    }));
    let words = outcome.err().map(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| "a panic".to_owned())
    });
    let written = told.with_extension("written");
    // Nothing may unwind into the copy of the tests here: who waits for this finds out.
    let _ = fs::write(&written, words.unwrap_or_default());
    let _ = fs::rename(&written, told);
    let begun = clock();
    while !fs::exists(folder.join("end")).unwrap_or(true) && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::process::exit(0)
}

fn say(text: &str) {
    let mut output = std::io::stdout();
    writeln!(output, "\n{text}").unwrap();
    output.flush().unwrap();
}

/// Of another process there is no event to wait for.
fn wait_until(condition: impl Fn() -> bool) {
    let begun = clock();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "it does not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}
