//! What somebody else has put where a program wants to write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use usage_files::{
    Accept, FileError, FileId, Risk, append, check, create_new, locate, open, open_existing,
    read_own,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    (directory, path)
}

/// Opens, reads and checks it, on a thread, since it must not wait for anything.
#[track_caller]
fn refused(path: &Path, accept: Accept) -> FileError {
    let (done, result) = channel();
    let of_thread = path.to_owned();
    thread::spawn(move || {
        let errors = [
            open(&of_thread, accept).unwrap_err(),
            append(&of_thread, accept).unwrap_err(),
            open_existing(&of_thread, accept).unwrap_err(),
            read_own(&of_thread, accept, 1024).unwrap_err(),
            check(&of_thread, accept).unwrap_err(),
        ];
        done.send(errors).unwrap();
    });
    let [opened, others @ ..] =
        result.recv_timeout(PATIENCE).expect("it refuses, and does not wait");
    for other in others {
        assert_eq!(opened.to_string(), other.to_string());
    }
    opened
}

#[track_caller]
fn accepted(path: &Path, accept: Accept) {
    let file = open(path, accept).unwrap();
    assert_eq!(check(path, accept).unwrap(), Some(FileId::of(&file).unwrap()));
    let again = open_existing(path, accept).unwrap().unwrap();
    assert_eq!(FileId::of(&again).unwrap(), FileId::of(&file).unwrap());
    assert!(read_own(path, accept, 1024).unwrap().is_some());
}

fn all_but(risk: Risk) -> Accept {
    Risk::ALL.into_iter().filter(|&other| other != risk).collect()
}

#[test]
fn what_is_not_a_file_is_refused_whatever_is_accepted() {
    let (directory, path) = place();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _listener = UnixListener::bind(directory.path().join("socket")).unwrap();
    for (planted, what) in [
        (pipe, "a pipe"),
        (directory.path().join("socket"), "a socket"),
        (PathBuf::from("/dev/null"), "a device"),
        (directory.path().to_owned(), "a directory"),
    ] {
        for accept in [Accept::NOTHING, Accept::ANYTHING] {
            let error = refused(&planted, accept);
            assert!(
                matches!(error, FileError::NotAFile { what: is, .. } if is == what),
                "{error:?}"
            );
            assert!(error.to_string().contains(what) && error.risk().is_none(), "{error}");
        }
        // Nor by a detour.
        symlink(&planted, &path).unwrap();
        assert_eq!(refused(&path, Accept::NOTHING).risk(), Some(Risk::Link));
        let error = refused(&path, Accept::NOTHING.and(Risk::Link));
        assert!(matches!(error, FileError::NotAFile { .. }), "{error:?}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_link_makes_and_opens_nothing_elsewhere() {
    let (directory, path) = place();
    let elsewhere = directory.path().join("elsewhere");
    symlink(&elsewhere, &path).unwrap();
    for exists in [false, true] {
        let error = refused(&path, all_but(Risk::Link));
        assert_eq!(error.risk(), Some(Risk::Link));
        assert!(error.to_string().contains("`link`"), "{error}");
        assert!(create_new(&path).is_err());
        assert_eq!(elsewhere.exists(), exists);
        fs::write(&elsewhere, "precious").unwrap();
        fs::set_permissions(&elsewhere, Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
}

#[test]
fn a_link_that_is_accepted_leads_to_the_file() {
    let (directory, path) = place();
    let accept = Accept::NOTHING.and(Risk::Link);
    let elsewhere = directory.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let target = elsewhere.join("usage.json");
    // Relative, and to a file that is not there yet; then another link in front of it.
    symlink("elsewhere/usage.json", &path).unwrap();
    let first = directory.path().join("first");
    symlink(&path, &first).unwrap();
    for name in [&path, &first] {
        accepted(name, accept);
        assert_eq!(locate(name, accept).unwrap(), fs::canonicalize(&target).unwrap());
    }
    assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o600);

    let circle = directory.path().join("circle");
    symlink(&circle, &circle).unwrap();
    let error = refused(&circle, accept);
    assert!(matches!(error, FileError::Io { .. }), "{error:?}");
}

/// Only the file itself counts: `/var` and `/tmp` are links on some systems.
#[test]
fn directories_on_the_way_may_be_links() {
    let (directory, _) = place();
    let way = directory.path().join("way");
    symlink(directory.path(), &way).unwrap();
    accepted(&way.join("usage.json"), Accept::NOTHING);
    // The place is the one behind the link, whatever becomes of it.
    let located = locate(way.join("usage.json"), Accept::NOTHING).unwrap();
    assert_eq!(located.parent().unwrap(), fs::canonicalize(directory.path()).unwrap());
}

#[test]
fn a_second_name_is_a_link_too() {
    let (directory, path) = place();
    drop(open(&path, Accept::NOTHING).unwrap());
    fs::hard_link(&path, directory.path().join("second")).unwrap();
    let error = refused(&path, all_but(Risk::Link));
    assert_eq!(error.risk(), Some(Risk::Link));
    assert!(error.to_string().contains("2 names"), "{error}");
    accepted(&path, Accept::NOTHING.and(Risk::Link));
    fs::remove_file(directory.path().join("second")).unwrap();
    accepted(&path, Accept::NOTHING);
}

#[test]
fn what_others_may_write_is_refused() {
    let (_directory, path) = place();
    drop(open(&path, Accept::NOTHING).unwrap());
    for mode in [0o602, 0o620, 0o666, 0o777] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = refused(&path, all_but(Risk::WritableByOthers));
        assert_eq!(error.risk(), Some(Risk::WritableByOthers), "{mode:o}");
        assert!(error.to_string().contains(&format!("{mode:04o}")), "{error}");
        accepted(&path, Accept::NOTHING.and(Risk::WritableByOthers));
    }
    // Who may read it is its owner's choice.
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    accepted(&path, Accept::NOTHING);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
}

#[test]
fn a_file_of_another_user_is_refused() {
    let (_directory, mut path) = place();
    drop(open(&path, Accept::NOTHING).unwrap());
    let me = fs::metadata(&path).unwrap().uid();
    let is_root = me == 0;
    if is_root {
        chown(&path, Some(54321), None).unwrap();
    } else {
        // Whoever runs this: that one is root's.
        path = "/etc/passwd".into();
    }
    let error = refused(&path, all_but(Risk::OtherOwner));
    assert_eq!(error.risk(), Some(Risk::OtherOwner));
    let owner = if is_root { 54321 } else { 0 };
    assert!(error.to_string().contains(&format!("user {owner}")), "{error}");
    assert!(error.to_string().contains("`other-owner`"), "{error}");
    if is_root {
        accepted(&path, Accept::NOTHING.and(Risk::OtherOwner));
    }
}

#[test]
fn what_is_made_is_for_its_owner_alone() {
    let (directory, path) = place();
    drop(open(&path, Accept::NOTHING).unwrap());
    let second = directory.path().join("second");
    drop(create_new(&second).unwrap());
    for path in [path, second] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600);
    }
}

/// Somebody changes what the name leads to all the while: what is opened is a file, or refused.
#[test]
fn a_race_is_lost_by_the_one_who_plants() {
    let (directory, path) = place();
    let precious = directory.path().join("precious");
    fs::write(&precious, "").unwrap();
    fs::set_permissions(&precious, Permissions::from_mode(0o600)).unwrap();
    let precious = FileId::at(&precious).unwrap();
    let (stop, stopped) = channel::<()>();
    thread::scope(|scope| {
        let (directory, path) = (directory.path(), &path);
        scope.spawn(move || {
            let link = directory.join("link");
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                symlink(directory.join("precious"), &link).unwrap();
                fs::rename(&link, path).unwrap();
                let _ = fs::remove_file(path);
                let _ = create_new(path);
            }
        });
        for _ in 0..2000 {
            match open(path, Accept::NOTHING) {
                Ok(file) => assert_ne!(Some(FileId::of(&file).unwrap()), precious),
                Err(FileError::Risk { risk: Risk::Link, .. } | FileError::Io { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        drop(stop);
    });
}
