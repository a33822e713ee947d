//! `register`: the browser's way back, the pasted one, and what must do no harm.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use usage_proto::RegistrationRequest;

use crate::serving::Serving;
use crate::usagectl::{PATIENCE, Ran, command, finish, run, write_own};

/// `register` that has printed its address and waits.
struct Registering {
    child: Option<Child>,
    directory: TempDir,
    url: String,
}

impl Registering {
    fn start(arguments: &[&str]) -> Self {
        Self::start_with_path(arguments, &std::env::var_os("PATH").unwrap_or_default())
    }

    /// The same, with other programs to be found.
    fn start_with_path(arguments: &[&str], path: &OsStr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = command()
            .args(["register", "--cluster-id", "clus1", "--product", "chronograf"])
            .args(["--token-file", "token"])
            .args(arguments)
            .env("PATH", path)
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        stdout.read_line(&mut url).unwrap();
        Self { child: Some(child), directory, url: url.trim_end().to_owned() }
    }

    /// Where the browser is to come back to.
    fn callback(&self) -> url::Url {
        let request = RegistrationRequest::parse(&self.url.parse().unwrap()).unwrap();
        request.redirect_url.unwrap()
    }

    /// Asks the port that waits, and gives the whole answer.
    fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        // What is too large, or not HTTP, may end in a reset.
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    fn get(&self, target: &str) -> String {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
    }

    fn paste(&mut self, line: &str) {
        let stdin = self.child.as_mut().unwrap().stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.callback().port().unwrap())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn left_behind(&self) -> usize {
        self.directory.path().read_dir().unwrap().count()
    }

    fn token_file(&self) -> PathBuf {
        self.directory.path().join("token")
    }

    fn finish(&mut self) -> Ran {
        finish(self.child.take().unwrap())
    }
}

/// A test that fails leaves nobody waiting.
impl Drop for Registering {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[test]
fn w23_the_browser_brings_the_token_and_ends_at_a_clean_address() {
    let mut registering = Registering::start(&[]);
    let path = registering.callback().path().to_owned();
    assert!(path.starts_with("/callback/") && path.len() == "/callback/".len() + 32, "{path}");
    let answer = registering.get(&format!("{path}?token=token-goes-here"));
    assert_eq!(status(&answer), "303");
    assert!(answer.to_lowercase().contains("location: /registered\r\n"), "{answer}");
    assert!(!answer.contains("token-goes-here"));
    // A second visit finds nothing, and the last page is there.
    assert_eq!(status(&registering.get(&format!("{path}?token=other"))), "404");
    let last = registering.get("/registered");
    // What it says is true by then.
    assert!(registering.token_file().exists());
    for header in ["no-store", "no-referrer", "default-src 'none'", "frame-ancestors 'none'"] {
        assert!(answer.contains(header) && last.contains(header), "{header}: {answer} {last}");
    }
    assert!(status(&last) == "200" && last.contains("You may close this page"), "{last}");
    let ran = registering.finish();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("Registered."), "{}", ran.stderr);
    assert!(!format!("{ran:?}").contains("token-goes-here"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(registering.token_file()).unwrap(), "token-goes-here\n");
    let mode = registering.token_file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_not_the_redirect_does_no_harm() {
    let mut registering = Registering::start(&[]);
    let path = registering.callback().path().to_owned();
    for (request, expected) in [
        ("GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned(), "404"),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned(), "404"),
        ("GET /registered HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned(), "404"),
        (format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "404"),
        (format!("GET {path}?token= HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "404"),
        (format!("GET {path}?token=a&token=b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "404"),
        (format!("GET {path}/?token=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "404"),
        ("GET /callback/0000?token=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned(), "404"),
        ("GET /callback?token=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned(), "404"),
        (format!("GET {path}?token=a HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "404"),
        (format!("GET {path}?token=a HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n"), "404"),
        (format!("GET {path}?token=a HTTP/1.0\r\n\r\n"), "404"),
        (format!("GET {path}?token=a HTTP/1.1\r\nHost: a\r\nHost: 127.0.0.1\r\n\r\n"), "404"),
        (
            format!("GET http://evil.example{path}?token=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
            "404",
        ),
        (format!("GET /x{path}?token=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "404"),
        (format!("POST {path}?token=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "405"),
        (format!("OPTIONS {path}?token=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "405"),
        (format!("HEAD {path}?token=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "405"),
        ("OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned(), "404"),
        ("\x16\x03\x01 not HTTP\r\n\r\n".to_owned(), "400"),
        (format!("GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "x".repeat(64 << 10)), "431"),
    ] {
        let answer = registering.ask(&request);
        let start = &request[..request.len().min(60)];
        // A head that is too large may be cut off before the answer to it is read.
        let found = status(&answer);
        assert!(
            found == expected || (expected == "431" && matches!(found, "414" | "none")),
            "{start}: {answer}"
        );
    }
    // A few that connect and say nothing keep nobody out.
    let _silent: Vec<_> = (0..20).map(|_| registering.connect()).collect();
    assert!(!registering.token_file().exists());
    assert_eq!(status(&registering.get(&format!("{path}?token=token-goes-here"))), "303");
    registering.get("/registered");
    assert_eq!(registering.finish().code, Some(0));
}

/// For a browser on another machine, and for a container.
#[test]
fn a_pasted_address_or_token_finishes_as_well() {
    for bare in [true, false] {
        let mut registering = Registering::start(&[]);
        let callback = registering.callback();
        registering.paste("");
        registering.paste("http://127.0.0.1:1/callback/0000?token=not-this-one");
        let pasted = format!("  {callback}?token=token-goes-here ");
        registering.paste(if bare { "token-goes-here" } else { &pasted });
        let ran = registering.finish();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.contains("not taken: the redirect does not belong"), "{ran:?}");
        assert_eq!(std::fs::read_to_string(registering.token_file()).unwrap(), "token-goes-here\n");
    }
}

#[test]
fn a_signal_leaves_nothing_behind() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut registering = Registering::start(&[]);
        write_own(registering.token_file(), "old\n");
        let child = registering.child.take().unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ran = finish(child);
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!(ran.stderr.contains("no token came, and nothing is stored"), "{ran:?}");
        assert_eq!(registering.left_behind(), 1);
        assert_eq!(std::fs::read_to_string(registering.token_file()).unwrap(), "old\n");
    }
    // Nor is there anything that a kill would leave behind.
    let registering = Registering::start(&[]);
    assert_eq!(registering.left_behind(), 0);
}

/// Though standard input stays open, and a browser is connected.
#[test]
fn the_wait_has_a_clear_end() {
    let mut registering = Registering::start(&["--wait", "500ms"]);
    let _browser = registering.connect();
    let _terminal = registering.child.as_mut().unwrap().stdin.take();
    let ran = registering.finish();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("no token came within 500ms, and nothing is stored"), "{ran:?}");
    assert_eq!(registering.left_behind(), 0);
}

#[test]
fn a_connection_that_says_nothing_or_never_ends_is_closed() {
    let mut registering = Registering::start(&[]);
    let mut silent = registering.connect();
    let mut slow = registering.connect();
    slow.write_all(b"GET /callback/").unwrap();
    for stream in [&mut silent, &mut slow] {
        let mut answer = Vec::new();
        // hyper may tell that it has waited long enough.
        stream.read_to_end(&mut answer).unwrap();
        assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    }
    registering.paste("token-goes-here");
    assert_eq!(registering.finish().code, Some(0));
}

#[test]
fn the_port_can_be_chosen() {
    // Free a moment ago.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ran = run(&["register", "--json", "--cluster-id", "c", "--product", "p"])
        .arguments(&["--callback-port", &port.to_string()])
        .done();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert_eq!(ran.json()["field"], "callback_port");
    drop(taken);
    let mut registering = Registering::start(&["--callback-port", &port.to_string()]);
    assert_eq!(registering.callback().port(), Some(port));
    registering.paste("token-goes-here");
    let ran = registering.finish();
    assert!(ran.stderr.contains(&format!("ssh -L {port}:127.0.0.1:{port}")), "{ran:?}");
}

/// What stands in for the opener of a desktop: it notes what it is to open.
#[cfg(target_os = "linux")]
#[test]
fn a_browser_is_opened_where_there_is_one() {
    let programs = tempfile::tempdir().unwrap();
    let opener = programs.path().join("xdg-open");
    let noted = programs.path().join("noted");
    let script = format!("#!/bin/sh\nprintf %s \"$1\" > '{}'\n", noted.display());
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut registering = Registering::start_with_path(&["--open"], programs.path().as_os_str());
    registering.paste("token-goes-here");
    assert_eq!(registering.finish().code, Some(0));
    // The command does not wait for a browser, and so it may end first.
    let begun = Instant::now();
    while std::fs::read_to_string(&noted).unwrap_or_default() != registering.url {
        assert!(begun.elapsed() < PATIENCE, "nothing was opened");
        std::thread::sleep(Duration::from_millis(5));
    }

    // Without one the address is there all the same.
    std::fs::remove_file(&opener).unwrap();
    let mut registering = Registering::start_with_path(&["--open"], programs.path().as_os_str());
    registering.paste("token-goes-here");
    let ran = registering.finish();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("no browser could be opened"), "{ran:?}");
}

#[test]
fn without_a_file_the_token_alone_is_on_standard_output() {
    let register = ["register", "--cluster-id", "c", "--product", "p"];
    let ran = run(&register).stdin("token-goes-here\n").done();
    assert_eq!((ran.code, &*ran.stdout), (Some(0), "token-goes-here\n"), "{ran:?}");
    assert!(ran.stderr.contains("https://usage.influxdata.com/start?cluster_id=c"), "{ran:?}");
    let mut ran = run(&register).arguments(&["--json"]).stdin("token-goes-here\n").done();
    ran.stderr.clear();
    let expected = serde_json::json!({"outcome": "registered", "token": "token-goes-here"});
    assert_eq!(ran.json(), expected);
}

#[test]
fn the_object_comes_at_the_end_and_the_address_on_standard_error() {
    let directory = tempfile::tempdir().unwrap();
    let ran = run(&["register", "--json", "--cluster-id", "c", "--product", "p"])
        .directory(directory.path())
        .stdin("token-goes-here\n");
    let mut ran = ran.arguments(&["--token-file", "token"]).done();
    assert!(ran.stderr.contains("https://usage.influxdata.com/start?cluster_id=c"), "{ran:?}");
    ran.stderr.clear();
    assert_eq!(ran.json(), serde_json::json!({"outcome": "registered", "token_file": "token"}));
}

#[test]
fn a_file_that_cannot_be_written_is_found_out_before_anybody_registers() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(directory.path().join("elsewhere"), &link).unwrap();
    // To put a file in the place of a device would hurt the whole machine.
    for file in ["no/such/folder/token", "/", "/dev/null", link.to_str().unwrap()] {
        let ran = run(&["register", "--json", "--cluster-id", "c", "--product", "p"])
            .arguments(&["--token-file", file])
            .done();
        assert_eq!(ran.code, Some(5), "{ran:?}");
        assert_eq!(ran.json()["field"], "token_file");
    }
}

#[test]
fn a_token_that_cannot_be_kept_is_told_to_the_browser_as_well() {
    let mut registering = Registering::start(&[]);
    let path = registering.callback().path().to_owned();
    // Something has the name by now.
    std::fs::create_dir(registering.token_file()).unwrap();
    std::fs::write(registering.token_file().join("full"), "").unwrap();
    assert_eq!(status(&registering.get(&format!("{path}?token=token-goes-here"))), "303");
    let last = registering.get("/registered");
    assert!(status(&last) == "500" && last.contains("could not be kept"), "{last}");
    let ran = registering.finish();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("cannot keep the token in token"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("token-goes-here"), "{ran:?}");
    assert_eq!(registering.left_behind(), 1);
}

/// W23: with the server of this project, the form filled in as a browser does.
#[test]
fn the_whole_round_with_serve() {
    let serving = Serving::start(&["--registration", "open"]);
    let mut registering = Registering::start(&["--url", &serving.url]);
    let target = registering.url.strip_prefix(&serving.url).unwrap();
    let form = "organisation=Example+Inc.&email=name%40example.com";
    let mut stream = TcpStream::connect(serving.url.strip_prefix("http://").unwrap()).unwrap();
    write!(
        stream,
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    let (_, path) = location.split_once("/callback/").unwrap();
    assert_eq!(status(&registering.get(&format!("/callback/{path}"))), "303");
    registering.get("/registered");
    assert_eq!(registering.finish().code, Some(0));

    let saved = run(&["save", "usage", "--product", "chronograf", "-", "--url", &serving.url])
        .arguments(&["--token-file", registering.token_file().to_str().unwrap()])
        .stdin("[{\"values\":{\"n\":1}}]")
        .done();
    assert_eq!(saved.code, Some(0), "{saved:?}");
    let usage = serving.store().usage().read_all().unwrap();
    assert_eq!(usage[0].organisation.as_deref(), Some("Example Inc."));
}
