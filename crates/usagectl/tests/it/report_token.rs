//! A token file that is replaced while `report` runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use testkit::scripted::ScriptedServer;

use crate::reporting::{NUMBERS, Reporting, command, command_of, directory};
use crate::usagectl::write_own;

const CREATED: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";

/// A Usage API that knows one token at a time.
struct Api {
    server: ScriptedServer,
    known: Arc<Mutex<&'static str>>,
}

impl Api {
    fn knows(token: &'static str) -> Self {
        let known = Arc::new(Mutex::new(token));
        let of_server = Arc::clone(&known);
        let server = ScriptedServer::run(move |mut connection| {
            while let Some(request) = connection.request() {
                let token = *of_server.lock().unwrap();
                let is_known = request.header("x-authorization") == [token];
                connection.send(if is_known { CREATED } else { REFUSED });
            }
        });
        Self { server, known }
    }

    fn now_knows(&self, token: &'static str) {
        *self.known.lock().unwrap() = token;
    }
}

/// One way to replace a token.
type Replace<'a> = &'a dyn Fn(&Path);

/// In every way in which a file becomes another one.
#[test]
fn another_token_is_used_as_soon_as_the_file_holds_it() {
    let rename = |directory: &Path| {
        write_own(directory.join("next"), "new-token\n");
        fs::rename(directory.join("next"), directory.join("token")).unwrap();
    };
    let in_place = |directory: &Path| write_own(directory.join("token"), "new-token");
    // What was there keeps its time: only the content tells.
    let same_time = |directory: &Path| {
        let path = directory.join("token");
        let then = fs::metadata(&path).unwrap().modified().unwrap();
        write_own(&path, "new-token");
        fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
    };
    let missing_for_a_while = |directory: &Path| {
        fs::remove_file(directory.join("token")).unwrap();
        thread::sleep(Duration::from_millis(600));
        write_own(directory.join("token"), "new-token");
    };
    // As Kubernetes mounts secrets: a link to a file behind a link to a directory, which is what
    // is replaced.
    let kubernetes = |directory: &Path| {
        fs::create_dir(directory.join("..2")).unwrap();
        write_own(directory.join("..2/token"), "new-token");
        symlink("..2", directory.join("..data_tmp")).unwrap();
        fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
        fs::remove_dir_all(directory.join("..1")).unwrap();
    };
    let replacements: [(bool, Replace<'_>); 5] = [
        (false, &rename),
        (false, &in_place),
        (false, &same_time),
        (false, &missing_for_a_while),
        (true, &kubernetes),
    ];
    for (linked, replace) in replacements {
        let (api, directory) = (Api::knows("old-token"), directory());
        let path = directory.path();
        if linked {
            fs::create_dir(path.join("..1")).unwrap();
            write_own(path.join("..1/token"), "old-token");
            symlink("..1", path.join("..data")).unwrap();
            symlink("..data/token", path.join("token")).unwrap();
        } else {
            write_own(path.join("token"), "old-token");
        }
        let token = path.join("token").display().to_string();
        let options = ["--verbose", "--token-file", &token];
        let state = path.join("usage.json");
        let mut reporting = Reporting::start(&api.server.url(), &state, &options, NUMBERS);
        reporting.wait_for("delivered");
        replace(path);
        let line = reporting.wait_for("another token");
        assert!(line.contains(" INFO "), "{line}");
        api.now_knows("new-token");
        reporting.wait_for("delivered");
        let ran = reporting.stop();
        assert_eq!(ran.code, Some(0));
        assert!(!ran.stderr.contains("new-token") && !ran.stderr.contains("old-token"), "{ran:?}");
    }
}

/// The old one is revoked first, and the report of a long period is refused for it: it is not lost
/// until the next period.
#[test]
fn what_was_refused_for_the_old_token_is_collected_anew() {
    let (api, directory) = (Api::knows("new-token"), directory());
    let (state, token) = (directory.path().join("usage.json"), directory.path().join("token"));
    write_own(&token, "old-token");
    // Due in a moment, and then again when no test waits any more.
    let last = SystemTime::now() - Duration::from_secs(3600);
    let last = last.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    write_own(&state, format!(r#"{{"version":1,"acknowledged_unix_ns":{last}}}"#));
    let options = ["--verbose", "--token-file", token.to_str().unwrap()];
    let url = api.server.url();
    let mut command = command_of("influxdb", "100s", &url, &state, &options, NUMBERS);
    let mut reporting = Reporting::spawn(&mut command);
    reporting.wait_for("reason=refused");
    write_own(&token, "new-token");
    reporting.wait_for("another token");
    reporting.wait_for("delivered");
    assert_eq!(reporting.stop().code, Some(0));
    assert_eq!(api.server.finish().len(), 2);
}

/// Half a secret, or none, for a moment or for ever: reports go on with the one that there was.
#[test]
fn a_file_that_holds_no_token_changes_nothing() {
    let (api, directory) = (Api::knows("old-token"), directory());
    let token = directory.path().join("token");
    write_own(&token, "old-token");
    let options = ["--verbose", "--token-file", token.to_str().unwrap()];
    let state = directory.path().join("usage.json");
    let mut reporting = Reporting::start(&api.server.url(), &state, &options, NUMBERS);
    reporting.wait_for("delivered");
    write_own(&token, "");
    let line = reporting.wait_for(" WARN ");
    assert!(line.contains("reports go on with the token that there was: "), "{line}");
    assert!(line.contains(token.to_str().unwrap()), "{line}");
    for _ in 0..2 {
        reporting.wait_for("delivered");
    }
    // A pipe that takes its place is not waited for.
    fs::remove_file(&token).unwrap();
    mkfifo(&token);
    for _ in 0..2 {
        reporting.wait_for("delivered");
    }
    fs::remove_file(&token).unwrap();
    write_own(&token, "new-token");
    reporting.wait_for("another token");
    let ran = reporting.stop();
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.stderr.matches(" WARN ").count(), 1, "{}", ran.stderr);
}

/// As from `<(…)`: it can be read once, and is.
#[test]
fn a_pipe_is_read_once() {
    let (api, directory) = (Api::knows("old-token"), directory());
    let pipe = directory.path().join("pipe");
    mkfifo(&pipe);
    let options = ["--verbose", "--token-file", pipe.to_str().unwrap()];
    let state = directory.path().join("usage.json");
    let mut report = command(&api.server.url(), &state, &options, NUMBERS);
    let writer = {
        let pipe = pipe.clone();
        thread::spawn(move || fs::write(pipe, "old-token"))
    };
    let mut reporting = Reporting::spawn(&mut report);
    writer.join().unwrap().unwrap();
    for _ in 0..3 {
        reporting.wait_for("delivered");
    }
    let ran = reporting.stop();
    assert_eq!(ran.code, Some(0));
    assert!(!ran.stderr.contains(" WARN "), "{}", ran.stderr);
}

fn mkfifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}
