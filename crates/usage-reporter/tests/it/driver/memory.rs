//! An API that does its worst costs its clients no memory: measured in a process of its own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use usage_proto::{Api, BaseUrl, Stats, StatsData};
use usage_reporter::{State, blocking};

use super::host::{PATIENCE, TestHost};
use super::rig::reporter_for;

const CHILD: &str = "USAGE_REPORTER_MEMORY_CHILD";
const HUGE: usize = 50 * 1024 * 1024;
const UNAVAILABLE: &str =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Long enough for a request on this machine.
const SOON: Duration = Duration::from_millis(100);

#[test]
fn an_api_that_does_its_worst_costs_no_memory() {
    let test = "driver::memory::in_a_process_of_its_own";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{told}\n{}", String::from_utf8_lossy(&child.stderr));
    let measured: Vec<_> = told.lines().filter(|line| line.contains("grown by ")).collect();
    assert_eq!(measured.len(), 4, "{told}");
    println!("{}", measured.join("\n"));
}

/// Does nothing but in the child that the test above starts.
#[test]
fn in_a_process_of_its_own() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let apis = [
        ("50 MiB of answer", serve(answer_hugely)),
        ("503 for ever", serve(|mut stream, _| drop(write!(stream, "{UNAVAILABLE}")))),
        ("no answer", serve(|stream, _| std::mem::forget(stream))),
        ("nobody", format!("http://{nobody}")),
    ];
    // What is allocated once, for all that comes after.
    live(&apis[0].1, 3);
    for (name, url) in apis {
        let before = peak_kib();
        // As many statistics as a host pushes in a year, in a moment.
        live(&url, 15);
        // The kernel's count is a little behind, and may even go back.
        let grown = peak_kib().saturating_sub(before);
        println!("{name}: grown by {grown} KiB");
        assert!(grown < 4 * 1024, "{name}: {grown} KiB more");
    }
}

/// A reporter that is told far more than it can say, and sends at least so many requests.
fn live(url: &str, requests: u64) {
    let api = Api::new(BaseUrl::new(url).unwrap());
    let client = usage_ureq::Client::new(api.clone()).unwrap();
    let (sent, asked) = std::sync::mpsc::channel();
    let (host, _alive) = TestHost::new();
    let transport = move |request| {
        let _ = sent.send(());
        client.execute(request)
    };
    let handle = blocking::spawn(reporter_for(api, State::new()), transport, host).unwrap();
    let group = StatsData::new("engine").value("text", "x".repeat(1024));
    let stats = Stats::new("influxdb").cluster_id("c").server_id("s").data(group);
    for count in 0..requests {
        (0..600).for_each(|_| handle.push_stats(&stats).unwrap());
        assert!(handle.status().pending <= 64 + 1, "{handle:?}");
        // Where there is no answer there is no second request either.
        if asked.recv_timeout(if count == 0 { PATIENCE } else { SOON }).is_err() {
            assert!(count > 0, "nothing is sent");
        }
    }
    handle.shutdown(Duration::ZERO);
}

/// Calls `answer` with each connection and its number.
fn serve(answer: fn(TcpStream, usize)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            answer(stream, count);
        }
    });
    url
}

/// As much of it as the client takes.
fn answer_hugely(mut stream: TcpStream, count: usize) {
    let status = ["200 OK", "503 Service Unavailable", "422 Unprocessable Entity"];
    let head = format!("HTTP/1.1 {}\r\nContent-Length: {HUGE}\r\n\r\n", status[count % 3]);
    let chunk = vec![b'x'; 64 * 1024];
    let mut sent = stream.write(head.as_bytes()).unwrap_or_default();
    while sent < HUGE {
        match stream.write(&chunk) {
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
