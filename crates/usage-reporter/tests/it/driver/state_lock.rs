//! One process writes the state, and knows it when another one may.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use usage_reporter::{State, StateFile, StateFileError};

use super::state_file::with_identity;

const CHILD: &str = "USAGE_REPORTER_STATE_LOCK_CHILD";

/// Somebody has cleaned up, or restored a copy of the folder: a lock on a file without a name keeps
/// nobody out.
#[cfg(unix)]
#[test]
fn a_lock_whose_name_is_gone_stores_nothing_any_more() {
    type Spoil<'a> = &'a dyn Fn(&std::path::Path);
    let ways: [(&str, Spoil<'_>); 4] = [
        ("removed", &|lock| fs::remove_file(lock).unwrap()),
        ("renamed", &|lock| fs::rename(lock, lock.with_extension("old")).unwrap()),
        ("replaced", &|lock| {
            fs::write(lock.with_extension("other"), "").unwrap();
            fs::rename(lock.with_extension("other"), lock).unwrap();
        }),
        ("a link to itself", &|lock| {
            fs::rename(lock, lock.with_extension("old")).unwrap();
            std::os::unix::fs::symlink(lock.with_extension("old"), lock).unwrap();
        }),
    ];
    for (way, spoil) in ways {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usage.json");
        let file = StateFile::open(&path).unwrap();
        file.store(&with_identity()).unwrap();
        let before = fs::read(&path).unwrap();
        spoil(&directory.path().join("usage.json.lock"));
        for _ in 0..2 {
            let error = file.store(&State::new()).unwrap_err();
            assert!(matches!(error, StateFileError::LockGone { .. }), "{way}: {error:?}");
            assert_eq!(error.path(), directory.path().join("usage.json.lock").as_path());
            let text = error.to_string();
            assert!(text.contains("another process may report with the same state"), "{text}");
        }
        assert_eq!(fs::read(&path).unwrap(), before, "{way}");
        // To read it is no harm.
        assert_eq!(file.load().unwrap().server_id(), with_identity().server_id());
    }
}

/// On Unix a process loses its lock where it closes another copy of the file, as a backup does.
#[cfg(unix)]
#[test]
fn a_lock_that_a_copy_of_the_folder_has_cost_is_taken_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    let file = StateFile::open(&path).unwrap();
    drop(fs::File::open(directory.path().join("usage.json.lock")).unwrap());
    file.store(&with_identity()).unwrap();
    let mut child = in_a_child(&path);
    assert!(child.wait_for("refused"), "it is locked again");
    drop(child);

    // Somebody was faster.
    drop(fs::File::open(directory.path().join("usage.json.lock")).unwrap());
    let mut child = in_a_child(&path);
    assert!(child.wait_for("locked"));
    let error = file.store(&State::new()).unwrap_err();
    assert!(matches!(error, StateFileError::Locked { .. }), "{error:?}");
    assert_eq!(file.load().unwrap().server_id(), with_identity().server_id());
    drop(child);
    file.store(&State::new()).unwrap();
}

#[test]
fn a_second_one_is_refused_until_the_first_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    let first = StateFile::open(&path).unwrap();
    // To be refused changes nothing for the next one, and nothing for the first.
    for _ in 0..3 {
        let error = StateFile::open(&path).unwrap_err();
        assert!(matches!(error, StateFileError::Locked { .. }));
        assert!(error.to_string().contains("in use"), "{error}");
        assert!(!in_a_child(&path).wait_for("locked"), "another process is refused as well");
        first.store(&State::new()).unwrap();
    }
    // Whoever only looks needs no lock.
    assert_eq!(StateFile::peek(&path).unwrap(), Some(State::new()));
    drop(first);
    drop(StateFile::open(&path).unwrap());
}

/// The child takes the lock and is killed while it has it.
#[test]
fn the_lock_dies_with_its_holder() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    let mut child = in_a_child(&path);
    assert!(child.wait_for("locked"), "the child has no lock");
    assert!(matches!(StateFile::open(&path), Err(StateFileError::Locked { .. })));
    drop(child);
    drop(StateFile::open(&path).unwrap());
}

/// A process that opens the file; killed when this is dropped.
struct Holder(Child);

fn in_a_child(path: &std::path::Path) -> Holder {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "driver::state_lock::in_a_process_of_its_own", "--nocapture"])
        .env(CHILD, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    Holder(child.unwrap())
}

impl Holder {
    fn wait_for(&mut self, word: &str) -> bool {
        let told = BufReader::new(self.0.stdout.take().unwrap()).lines();
        let told = told.map_while(Result::ok).find(|line| line == "locked" || line == "refused");
        told.is_some_and(|told| told == word)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Does nothing but in the child that the tests above start.
#[test]
fn in_a_process_of_its_own() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let file = StateFile::open(path);
    println!("\n{}", if file.is_ok() { "locked" } else { "refused" });
    std::io::stdout().flush().unwrap();
    // Until the parent kills this, or is gone.
    let _ = std::io::stdin().read_line(&mut String::new());
}
