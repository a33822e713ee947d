//! What somebody else has put where the state, its lock or what lies beside it is to be.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use usage_reporter::{Risk, State, StateFile, StateFileError};

use super::state_file::{with_identity, write_own};

const PATIENCE: Duration = Duration::from_secs(20);

/// All that is written.
const NAMES: [&str; 3] = ["usage.json", "usage.json.lock", "usage.json.last"];

/// A directory, and a state that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    // Errors name the place that links on the way lead to.
    let path = fs::canonicalize(directory.path()).unwrap().join("usage.json");
    (directory, path)
}

/// Opens it on a thread, since it must not wait for anything.
#[track_caller]
fn refused(path: &Path, risks: Vec<Risk>) -> StateFileError {
    let (done, result) = channel();
    let path = path.to_owned();
    thread::spawn(move || done.send(StateFile::open_accepting(path, risks).map(drop)));
    result.recv_timeout(PATIENCE).expect("it does not wait").unwrap_err()
}

fn all_but(risk: Risk) -> Vec<Risk> {
    Risk::ALL.into_iter().filter(|&other| other != risk).collect()
}

/// It is opened, stored and read again, and the next start takes what this one has made.
#[track_caller]
fn accepted(path: &Path, risk: Risk) {
    for _ in 0..2 {
        let file = StateFile::open_accepting(path, [risk]).unwrap();
        file.store(&with_identity()).unwrap();
        assert_eq!(file.load().unwrap().server_id(), with_identity().server_id());
    }
}

#[test]
fn what_is_not_a_file_is_refused_at_once_whatever_is_accepted() {
    type Plant<'a> = &'a dyn Fn(&Path);
    let plants: [(&str, Plant<'_>); 3] = [
        ("a pipe", &|at| assert!(Command::new("mkfifo").arg(at).status().unwrap().success())),
        ("a socket", &|at| drop(UnixListener::bind(at).unwrap())),
        ("a directory", &|at| fs::create_dir(at).unwrap()),
    ];
    for name in NAMES {
        for (what, plant) in plants {
            let (directory, path) = place();
            let planted = path.with_file_name(name);
            plant(&planted);
            for risks in [vec![], Risk::ALL.to_vec()] {
                let error = refused(&path, risks);
                assert!(
                    matches!(error, StateFileError::NotAFile { what: is, .. } if is == what),
                    "{name}: {error:?}"
                );
                assert_eq!(error.path(), planted, "{error}");
                assert!(error.to_string().contains(what), "{error}");
            }
            assert_eq!(names_in(directory.path()), [name], "nothing is made beside it");
        }
    }
    for error in [refused(Path::new("/dev/null"), vec![]), peek(Path::new("/dev/null"))] {
        assert!(matches!(error, StateFileError::NotAFile { what: "a device", .. }), "{error:?}");
    }
}

/// Whoever only looks waits for nothing either.
#[test]
fn a_pipe_is_not_waited_for_to_be_shown() {
    let (_directory, path) = place();
    for name in ["usage.json", "usage.json.last"] {
        let pipe = path.with_file_name(name);
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let error = peek(&path);
        assert!(matches!(error, StateFileError::NotAFile { what: "a pipe", .. }), "{error:?}");
        assert_eq!(error.path(), pipe);
        fs::remove_file(pipe).unwrap();
    }
}

fn peek(path: &Path) -> StateFileError {
    let (done, result) = channel();
    let path = path.to_owned();
    thread::spawn(move || {
        let peeked = StateFile::peek(&path).and_then(|_| StateFile::peek_last_sent(&path));
        done.send(peeked.unwrap_err()).unwrap();
    });
    result.recv_timeout(PATIENCE).expect("it does not wait")
}

#[test]
fn a_link_makes_and_opens_nothing_elsewhere() {
    for name in NAMES {
        let (directory, path) = place();
        let elsewhere = path.with_file_name("elsewhere");
        symlink(&elsewhere, path.with_file_name(name)).unwrap();
        for exists in [false, true] {
            let error = refused(&path, all_but(Risk::Link));
            assert_eq!(error.risk(), Some(Risk::Link), "{name}: {error:?}");
            assert_eq!(error.path(), path.with_file_name(name));
            assert!(error.to_string().contains("`link`"), "{error}");
            assert_eq!(elsewhere.exists(), exists, "{name}");
            assert_eq!(names_in(directory.path()).len(), 1 + usize::from(exists), "{name}");
            write_own(&elsewhere, "precious");
        }
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious", "{name}");
    }
}

#[test]
fn a_second_name_is_a_link_too() {
    for name in NAMES {
        let (_directory, path) = place();
        let precious = path.with_file_name("precious");
        write_own(&precious, "");
        fs::hard_link(&precious, path.with_file_name(name)).unwrap();
        let error = refused(&path, all_but(Risk::Link));
        assert_eq!(error.risk(), Some(Risk::Link), "{name}: {error:?}");
        accepted(&path, Risk::Link);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "", "{name}: it is replaced");
    }
}

#[test]
fn what_others_may_write_is_refused() {
    for name in NAMES {
        let (_directory, path) = place();
        let planted = path.with_file_name(name);
        write_own(&planted, "");
        for mode in [0o602, 0o620, 0o666, 0o777] {
            fs::set_permissions(&planted, Permissions::from_mode(mode)).unwrap();
            let error = refused(&path, all_but(Risk::WritableByOthers));
            assert_eq!(error.risk(), Some(Risk::WritableByOthers), "{name} {mode:o}: {error:?}");
            assert!(error.to_string().contains("chmod go-w"), "{error}");
        }
        accepted(&path, Risk::WritableByOthers);
        // Who may read it is its owner's choice.
        fs::set_permissions(&planted, Permissions::from_mode(0o644)).unwrap();
        drop(StateFile::open(&path).unwrap());
    }
}

/// The state that somebody else has put there would have this server report under an identity that
/// they know.
#[test]
fn a_file_of_another_user_is_refused() {
    let (_directory, path) = place();
    write_own(&path, "");
    if fs::metadata(&path).unwrap().uid() != 0 {
        // Whoever runs this: that one is root's. The lock and the last report need root.
        let error = refused(Path::new("/etc/passwd"), all_but(Risk::OtherOwner));
        assert_eq!(error.risk(), Some(Risk::OtherOwner));
        return;
    }
    fs::remove_file(&path).unwrap();
    for name in NAMES {
        let (_directory, path) = place();
        let planted = path.with_file_name(name);
        write_own(&planted, "");
        chown(&planted, Some(54321), None).unwrap();
        let error = refused(&path, all_but(Risk::OtherOwner));
        assert_eq!(error.risk(), Some(Risk::OtherOwner), "{name}: {error:?}");
        assert!(error.to_string().contains("user 54321"), "{error}");
        assert!(error.to_string().contains("`other-owner`"), "{error}");
        accepted(&path, Risk::OtherOwner);
    }
}

/// What is planted once it is open is not written into, and not read.
#[test]
fn what_is_planted_later_is_replaced_and_not_read() {
    let (directory, path) = place();
    let file = StateFile::open(&path).unwrap();
    let other = path.with_file_name("other");
    write_own(&other, r#"{"version":1,"server_id":"theirs"}"#);
    for name in ["usage.json", "usage.json.new"] {
        symlink(&other, path.with_file_name(name)).unwrap();
        if name == "usage.json" {
            let error = file.load().unwrap_err();
            assert_eq!(error.risk(), Some(Risk::Link), "{error:?}");
        }
        file.store(&with_identity()).unwrap();
        assert!(fs::read_to_string(&other).unwrap().contains("theirs"));
        assert_eq!(file.load().unwrap().server_id(), with_identity().server_id());
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(file.load().unwrap(), State::new());
    assert_eq!(names_in(directory.path()), ["other", "usage.json.lock"]);
}

#[test]
fn all_files_are_their_owner_s_alone_and_a_link_that_is_accepted_stays_a_link() {
    let (_directory, real) = place();
    let link = real.with_file_name("link.json");
    // An older release, or a restored copy, may have left it open to everyone.
    write_own(&real, r#"{"version":1}"#);
    fs::set_permissions(&real, Permissions::from_mode(0o644)).unwrap();
    symlink(&real, &link).unwrap();

    let file = StateFile::open_accepting(&link, [Risk::Link]).unwrap();
    file.store(&with_identity()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(matches!(StateFile::open(&real), Err(StateFileError::Locked { .. })));
    for name in ["usage.json", "usage.json.lock"] {
        let mode = fs::metadata(real.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// The usual first start of a service whose file is elsewhere.
#[test]
fn a_link_to_a_file_that_is_not_there_yet_stays_a_link() {
    let (_directory, link) = place();
    let real = link.with_file_name("data").join("real.json");
    fs::create_dir(real.parent().unwrap()).unwrap();
    symlink("data/real.json", &link).unwrap();
    let file = StateFile::open_accepting(&link, [Risk::Link]).unwrap();
    file.store(&with_identity()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::metadata(&real).unwrap().is_file());
    assert!(matches!(StateFile::open(&real), Err(StateFileError::Locked { .. })));
    drop(file);
    // Links in a circle end, too.
    let (a, b) = (link.with_file_name("a"), link.with_file_name("b"));
    symlink(&a, &b).unwrap();
    symlink(&b, &a).unwrap();
    let error = refused(&a, Risk::ALL.to_vec());
    assert!(matches!(error, StateFileError::Io { .. }), "{error:?}");
}

/// The lock is found by the place, not by the way to it, at the first start as well.
#[test]
fn two_ways_to_one_state_have_one_lock() {
    let (directory, path) = place();
    let way = path.with_file_name("way");
    symlink(directory.path(), &way).unwrap();
    let by_the_way = StateFile::open(way.join("new/usage.json")).unwrap();
    let straight = path.with_file_name("new").join("usage.json");
    for _ in 0..2 {
        let error = StateFile::open(&straight).unwrap_err();
        assert!(matches!(error, StateFileError::Locked { .. }), "{error:?}");
    }
    by_the_way.store(&with_identity()).unwrap();
    for _ in 0..2 {
        let error = StateFile::open(&straight).unwrap_err();
        assert!(matches!(error, StateFileError::Locked { .. }), "{error:?}");
    }
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
