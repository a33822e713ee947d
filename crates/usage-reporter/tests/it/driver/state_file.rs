//! The state in a file: one writer, no half of a state, and never a new identity by mistake.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use http::Response;
use usage_proto::{Api, BaseUrl, TransportError};
use usage_reporter::{
    ForgetMe, ForgetOutcome, Identity, LastSent, State, StateFile, StateFileError,
};

use super::logged::logged;

const CHILD: &str = "USAGE_REPORTER_STATE_FILE_CHILD";

#[test]
fn what_was_stored_is_loaded_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("some/where/usage.json");
    let file = StateFile::open(&path).unwrap();
    assert_eq!(file.load().unwrap(), State::new());
    assert!(!path.exists());

    let state = with_identity();
    file.store(&state).unwrap();
    assert_eq!(file.load().unwrap().server_id(), state.server_id());
    assert_eq!(StateFile::peek(&path).unwrap().unwrap().server_id(), state.server_id());
    // What is left over is the state and its lock.
    let mut names: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["usage.json", "usage.json.lock"]);
}

/// Who binds a file into a container makes it first.
#[test]
fn an_empty_file_is_a_new_state() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    for content in ["", "\n", " \r\n\t"] {
        write_own(&path, content);
        assert_eq!(StateFile::peek(&path).unwrap(), None);
        let file = StateFile::open(&path).unwrap();
        assert_eq!(file.load().unwrap(), State::new());
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        file.store(&with_identity()).unwrap();
        assert_eq!(file.load().unwrap().server_id(), with_identity().server_id());
    }
}

/// With a real mount, where this machine gives one to a test.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_was_bound_into_a_container_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (outside, path) = (directory.path().join("outside"), directory.path().join("usage.json"));
    for file in [&outside, &path] {
        write_own(file, "");
    }
    let in_a_container = |script: &str| {
        Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-ec", script, "sh"])
            .args([&outside, &path])
            .arg(std::env::current_exe().unwrap())
            .env(CHILD, &path)
            .stdin(Stdio::null())
            .output()
    };
    let bind = "mount --bind \"$1\" \"$2\"";
    if !in_a_container(bind).is_ok_and(|bound| bound.status.success()) {
        println!(
            "this machine gives no mounts to a test: the unit test of `replace` is all there is"
        );
        return;
    }
    let test = "--exact driver::state_file::stores_in_a_process_of_its_own --nocapture";
    for _ in 0..2 {
        let ran = in_a_container(&format!("{bind}; exec \"$3\" {test}")).unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
        let state = StateFile::peek(&outside).unwrap().unwrap();
        assert_eq!(state.server_id(), with_identity().server_id());
        assert_eq!(fs::read(&path).unwrap(), b"", "the mount point itself is as it was");
    }
}

/// Does nothing but in the child that the test above starts.
#[cfg(target_os = "linux")]
#[test]
fn stores_in_a_process_of_its_own() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let file = StateFile::open(path).unwrap();
    let mut state = file.load().unwrap();
    let _ = Identity::new(&mut state, "c", [7; 16]);
    let lines = logged(|| (0..3).for_each(|_| file.store(&state).unwrap()));
    let [(level, message)] = &*lines else { panic!("{lines:?}") };
    assert_eq!(*level, tracing::Level::WARN);
    assert!(message.contains("a mount point by itself"), "{message}");
}

#[test]
fn a_file_that_is_no_state_is_an_error_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    let blank = r#"{"version":1,"server_id":" "}"#;
    let large = format!("{}{}", r#"{"version":1}"#, " ".repeat(70_000));
    for content in ["\0", "{", "null", "[1]", r#"{"version":2}"#, blank, &large] {
        write_own(&path, content);
        let file = StateFile::open(&path).unwrap();
        let error = file.load().unwrap_err();
        assert!(matches!(error, StateFileError::Corrupt { .. }), "{error:?}");
        assert_eq!(error.path(), path.canonicalize().unwrap());
        assert!(error.to_string().ends_with("or remove it to start as a new server"), "{error}");
        let reason = error.source().unwrap().to_string();
        assert!(!reason.is_empty() && !error.to_string().contains(&reason));
        // On one line, each reason once.
        assert_eq!(format!("{error:#}"), format!("{error}: {reason}"));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

/// Nothing is made beside it, and nobody is told to remove it.
#[test]
fn what_is_no_file_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    fs::create_dir(&path).unwrap();
    for error in [StateFile::open(&path).unwrap_err(), StateFile::peek(&path).unwrap_err()] {
        assert!(matches!(error, StateFileError::NotAFile { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.ends_with("is a directory and not a regular file: keep the state elsewhere"),
            "{text}"
        );
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    assert!(StateFile::open("/").is_err());

    let file = path.join("a-file");
    fs::write(&file, "").unwrap();
    let error = StateFile::open(file.join("usage.json")).unwrap_err();
    assert!(error.to_string().starts_with("cannot "), "{error}");
    let reason = error.source().unwrap();
    assert_eq!(format!("{error:#}"), format!("{error}: {reason}"));
}

#[test]
fn what_has_left_is_kept_beside_the_state() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    assert_eq!(StateFile::peek_last_sent(&path).unwrap(), None);
    let file = StateFile::open(&path).unwrap();
    let text = r#"{"version":1,"sent_unix_ns":5,"url":"http://localhost/","headers":[["a","b"]],"body":"[]","body_bytes":2,"status":201}"#;
    let sent: LastSent = serde_json::from_str(text).unwrap();
    file.store_last_sent(&sent).unwrap();
    assert_eq!(StateFile::peek_last_sent(&path).unwrap().as_ref(), Some(&sent));
    let beside = directory.path().join("usage.json.last");
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let mode = fs::metadata(&beside).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "numbers of a customer are nobody else's");
        // By a link to the state as well.
        let link = directory.path().join("link");
        write_own(&path, r#"{"version":1}"#);
        symlink(&path, &link).unwrap();
        assert_eq!(StateFile::peek_last_sent(&link).unwrap(), Some(sent.clone()));
    }

    // It is worth nothing to the reporting, and no reason to lose an identity.
    for content in ["{", r#"{"version":2}"#, "null", r#"{"version":1}"#] {
        fs::write(&beside, content).unwrap();
        let error = StateFile::peek_last_sent(&path).unwrap_err();
        assert!(matches!(error, StateFileError::NotAReport { .. }), "{error:?}");
        assert!(error.to_string().ends_with("not a usage report that was kept: remove it"));
        let reason = error.source().unwrap();
        assert_eq!(format!("{error:#}"), format!("{error}: {reason}"));
        assert_eq!(file.load().unwrap(), State::new());
    }
    file.store_last_sent(&sent).unwrap();
    assert_eq!(StateFile::peek_last_sent(&path).unwrap(), Some(sent.clone()));

    fs::remove_file(directory.path().join("usage.json.lock")).unwrap_or_default();
    #[cfg(unix)]
    assert!(matches!(file.store_last_sent(&sent), Err(StateFileError::LockGone { .. })));
}

/// It has the ids too, and goes when the API has erased all that was reported: not sooner, and not for
/// somebody else.
#[test]
fn what_has_left_is_kept_until_the_api_has_forgotten() {
    let answer = |status: u16, body: &'static str| {
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    };
    let text = r#"{"version":1,"sent_unix_ns":5,"url":"http://localhost/","headers":[["a","b"]],"body":"[]","body_bytes":2,"status":201}"#;
    let sent: LastSent = serde_json::from_str(text).unwrap();
    let api = || Api::new(BaseUrl::STAGING);
    for (response, stays) in [
        (Some(answer(200, r#"{"reports":3}"#)), false),
        (Some(answer(204, "")), false),
        (Some(answer(200, r#"{"reports":0}"#)), true),
        (Some(answer(401, "")), true),
        (Some(answer(404, "404 page not found")), true),
        (Some(answer(503, "")), true),
        (None, true),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usage.json");
        let file = StateFile::open(&path).unwrap();
        file.store_last_sent(&sent).unwrap();
        let asked = ForgetMe::asked(api(), "tinykv", with_identity(), None);
        let told = format!("{response:?}");
        let answered = response.ok_or_else(|| TransportError::connect("offline"));
        let mut answered = Some(answered);
        let now = || std::time::SystemTime::UNIX_EPOCH;
        file.forget(asked, now, |_| answered.take().unwrap()).unwrap();
        let kept = StateFile::peek_last_sent(&path).unwrap();
        assert_eq!(kept.is_some(), stays, "{told}");
        assert_eq!(directory.path().join("usage.json.last").exists(), stays, "{told}");
    }

    // Who has opted in again meanwhile has reported as another server, and that one is not forgotten.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    let file = StateFile::open(&path).unwrap();
    let now = || std::time::SystemTime::UNIX_EPOCH;
    let asked = ForgetMe::asked(api(), "tinykv", with_identity(), None);
    file.forget(asked, now, |_| Err(TransportError::connect("offline"))).unwrap();
    let mut state = file.load().unwrap();
    let _ = Identity::new(&mut state, "clus1", [9; 16]);
    file.store(&state).unwrap();
    file.store_last_sent(&sent).unwrap();
    let again = ForgetMe::again(api(), "tinykv", state);
    let later = || now() + std::time::Duration::from_secs(100 * 60 * 60);
    let outcome = file.forget(again, later, |_| Ok(answer(200, r#"{"reports":3}"#))).unwrap();
    assert_eq!(outcome, ForgetOutcome::Forgotten { reports: Some(3) });
    assert_eq!(StateFile::peek_last_sent(&path).unwrap(), Some(sent));
}

/// A disk that takes nothing more leaves what was there.
#[test]
fn a_state_that_cannot_be_stored_leaves_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    let file = StateFile::open(&path).unwrap();
    file.store(&with_identity()).unwrap();
    let before = fs::read(&path).unwrap();
    // Nothing can be made where a directory has the name.
    fs::create_dir(directory.path().join("usage.json.new")).unwrap();
    let error = file.store(&State::new()).unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// A file that is its owner's alone, whatever the umask of whoever runs the tests.
pub(super) fn write_own(path: &Path, content: &str) {
    if !path.exists() {
        usage_files::create_new(path).unwrap();
    }
    fs::write(path, content).unwrap();
}

pub(super) fn with_identity() -> State {
    let mut state = State::new();
    let _ = Identity::new(&mut state, "c", [7; 16]);
    state
}
