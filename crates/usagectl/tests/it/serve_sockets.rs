//! Where `serve` listens: files, what systemd hands over, and behind a proxy.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::serving::Serving;
use crate::usagectl::{self, PATIENCE, command_named, run, wait_until};

/// The answer to a report, over whatever it is.
fn report(mut stream: impl Read + Write, headers: &str) -> String {
    write!(
        stream,
        "POST /api/v1/usage/p HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

fn over_file(path: &Path, headers: &str) -> String {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    report(stream, headers)
}

fn over_tcp(address: &str, headers: &str) -> String {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    report(stream, headers)
}

const CREATED: &str = "HTTP/1.1 201 Created";

#[test]
fn a_socket_in_the_file_system_is_listened_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let name = format!("unix:{}", path.display());
    let serving = Serving::start_by(&mut usagectl::command(), &["--listen", &name]);
    assert_eq!(serving.url, name);
    assert_eq!(over_file(&path, ""), CREATED);

    // Taken is taken, and whatever else is there stays.
    let ran = run(&["serve", "--listen", &name]).directory(directory.path()).done();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("another server listens there"), "{}", ran.stderr);
    assert_eq!(serving.stop().code, Some(0));
    assert!(!path.exists());
    let ran = run(&["serve", "--listen", "unix:"]).done();
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn all_sockets_are_announced() {
    let directory = tempfile::tempdir().unwrap();
    let (api, metrics) = (directory.path().join("api.sock"), directory.path().join("metrics.sock"));
    let name = |path: &Path| format!("unix:{}", path.display());
    let serving = Serving::start_by(
        &mut usagectl::command(),
        &[
            "--listen",
            &name(&api),
            "--listen",
            "127.0.0.1:0",
            "--metrics",
            &name(&metrics),
            "--json",
        ],
    );
    let object: Value = serde_json::from_str(&serving.url).unwrap();
    assert_eq!(
        (&object["address"], &object["metrics"]),
        (&name(&api).into(), &name(&metrics).into())
    );
    let tcp = object["addresses"][1].as_str().unwrap();
    assert_eq!(object["url"], format!("http://{tcp}"));
    assert_eq!((over_file(&api, ""), over_tcp(tcp, "")), (CREATED.to_owned(), CREATED.to_owned()));
    assert_eq!(serving.stop().code, Some(0));
}

/// As systemd starts it: the sockets are there from the third file on, and variables speak of them.
#[test]
fn sockets_that_systemd_hands_over_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = api.local_addr().unwrap().to_string();
    let metrics = directory.path().join("metrics.sock");
    let (log, listener) = (directory.path().join("log"), UnixListener::bind(&metrics).unwrap());
    // Before anything is started, somebody connects: nobody is turned away.
    let early = TcpStream::connect(&address).unwrap();
    let script = "exec 3<&0 4<&1 1>/dev/null; LISTEN_PID=$$ exec \"$0\" \"$@\"";
    let child = command_named("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_usagectl")])
        .args(["serve", "--database", "usage.db", "--log-file", log.to_str().unwrap()])
        .env("LISTEN_FDS", "2")
        .env("LISTEN_FDNAMES", "api:metrics")
        .current_dir(directory.path())
        .stdin(Stdio::from(OwnedFd::from(api)))
        .stdout(Stdio::from(OwnedFd::from(listener)))
        .spawn()
        .unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    early.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(report(early, ""), CREATED);
    let mut stream = UnixStream::connect(&metrics).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains("usage_stored_total 1\n"), "{text}");
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(usagectl::finish(child).code, Some(0));
    // The default is not listened on as well.
    let log = fs::read_to_string(&log).unwrap();
    assert!(!log.contains("7086"), "{log}");
    assert!(metrics.exists(), "it belongs to systemd");
}

#[test]
fn systemd_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let notify = UnixDatagram::bind(&path).unwrap();
    notify.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = || {
        let mut buffer = [0; 256];
        let length = notify.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let mut command: Command = usagectl::command();
    command.env("NOTIFY_SOCKET", &path);
    let serving = Serving::start_by(&mut command, &["--listen", "127.0.0.1:0"]);
    assert_eq!(told().trim(), "READY=1");
    kill_process(serving.pid(), Signal::HUP).unwrap();
    let reloading = told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told().trim(), "READY=1");
    assert_eq!(serving.stop().code, Some(0));
    assert_eq!(told().trim(), "STOPPING=1");
}

#[test]
fn a_proxy_that_is_named_tells_who_asks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let name = format!("unix:{}", path.display());
    let log = directory.path().join("log");
    let common = ["--log-addresses", "--log-file", log.to_str().unwrap(), "--listen", &name];
    let forwarded = "X-Forwarded-For: 203.0.113.7, 198.51.100.1\r\n";
    let last_line = || {
        let text = fs::read_to_string(&log).unwrap();
        text.lines().rev().find(|line| line.contains("/api/v1/usage")).map(ToOwned::to_owned)
    };
    let waits_for = |part: &str| {
        wait_until(part, || last_line().is_some_and(|line| line.ends_with(part)));
    };
    let serving = Serving::start_by(&mut usagectl::command(), &common);
    assert_eq!(over_file(&path, forwarded), CREATED);
    waits_for("2 bytes");
    assert_eq!(serving.stop().code, Some(0));

    let trusting = ["--trust-forwarded-for", "unix,10.0.0.0/8", "--requests-per-address", "2"];
    let serving = Serving::start_by(&mut usagectl::command(), &[&common[..], &trusting].concat());
    for _ in 0..2 {
        assert_eq!(over_file(&path, forwarded), CREATED);
    }
    waits_for(", from 198.51.100.1");
    // Each client has its own limit, and none by what it says of itself.
    assert_eq!(
        over_file(&path, "X-Forwarded-For: 192.0.2.1, 198.51.100.1\r\n"),
        "HTTP/1.1 429 Too Many Requests"
    );
    assert_eq!(over_file(&path, "X-Forwarded-For: 198.51.100.2, 10.1.1.1\r\n"), CREATED);
    waits_for(", from 198.51.100.2");
    assert_eq!(serving.stop().code, Some(0));
    let ran = run(&["serve", "--trust-forwarded-for", "everybody"]).done();
    assert_eq!(ran.code, Some(2), "{ran:?}");
}
