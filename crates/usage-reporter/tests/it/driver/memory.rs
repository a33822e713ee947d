//! An API that does its worst costs its clients no memory: measured in a process of its own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use usage_proto::{Api, BaseUrl};
use usage_reporter::{Phase, State, blocking};

use super::host::{PATIENCE, TestHost};
use super::reporting::stats;
use super::rig::reporter_for;

const CHILD: &str = "USAGE_REPORTER_MEMORY_CHILD";
const HUGE: usize = 50 * 1024 * 1024;

#[test]
fn fifty_megabytes_of_answer_are_not_kept() {
    let test = "driver::memory::in_a_process_of_its_own";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{told}\n{}", String::from_utf8_lossy(&child.stderr));
    let grown = told.lines().find_map(|line| line.split_once("grown by "));
    let (_, grown) = grown.unwrap_or_else(|| panic!("the child has not measured:\n{told}"));
    println!("grown by {grown}");
}

/// Does nothing but in the child that the test above starts.
#[test]
fn in_a_process_of_its_own() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (count, connection) in listener.incoming().enumerate() {
            let status = ["200 OK", "503 Service Unavailable", "422 Unprocessable Entity"];
            answer_hugely(connection.unwrap(), status[count % status.len()]);
        }
    });

    let api = Api::new(BaseUrl::new(&url).unwrap());
    let client = usage_ureq::Client::new(api.clone()).unwrap();
    let (host, _alive) = TestHost::new();
    let reporter = reporter_for(api, State::new());
    let handle = blocking::spawn(reporter, move |request| client.execute(request), host).unwrap();
    let report = |count| {
        handle.push_stats(&stats(count)).unwrap();
        while handle.status().pending > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    };
    // What is allocated once, for all that comes after.
    (0..3).for_each(&report);
    let before = peak_kib();
    (3..30).for_each(&report);
    let grown = peak_kib() - before;
    println!("grown by {grown} KiB");
    assert!(grown < 4 * 1024, "{grown} KiB more after 27 answers of 50 MiB");
    assert_eq!(handle.shutdown(PATIENCE).phase, Phase::Stopped);
}

/// As much of it as the client takes.
fn answer_hugely(mut connection: TcpStream, status: &str) {
    let mut request = [0; 4096];
    let _ = connection.read(&mut request);
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {HUGE}\r\n\r\n");
    let chunk = vec![b'x'; 64 * 1024];
    let mut sent = connection.write(head.as_bytes()).unwrap_or_default();
    while sent < HUGE {
        match connection.write(&chunk) {
            Ok(count) => sent += count,
            Err(_) => return,
        }
    }
}

/// The most memory that this process has had so far.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
