//! The example does what its page says, and no server holds it.

#![expect(clippy::disallowed_methods, reason = "a hostile server has a clock, and takes its time")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::scripted::{PATIENCE, ScriptedServer};
use usage_proto::{Api, BaseUrl, Deadlines};
use usage_reporter::Event;

#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/event_loop.rs"]
mod example;

#[test]
fn the_example_reports_from_an_event_loop_of_its_own() {
    let mut out = Vec::new();
    example::demo(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let lines = |start: &str| out.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(lines("stored: 1 server"), 1, "{out}");
    assert_eq!(lines("stored: usage of Example Inc.: [{"), 3, "{out}");
    assert_eq!(out.matches("503 Service Unavailable").count(), 1 + 1, "{out}");
    assert!(out.contains("attempt 2\n"), "{out}");
    let refused =
        "usage could not be collected: the number at `[0].values.hit_ratio` is not finite";
    assert_eq!(out.matches(refused).count(), 1, "{out}");
}

#[test]
fn as_many_lines_concern_reporting_as_its_head_says() {
    let source = include_str!("../../examples/event_loop.rs");
    let mut heads = source.lines().filter_map(|line| line.split_once(" lines concern reporting: "));
    let said: usize = heads.next().unwrap().0.trim_start_matches("//! ").parse().unwrap();
    let (_, below) = source.split_once("\npub(crate) fn report").unwrap();
    let code = below.lines().map(str::trim).filter(|line| !line.is_empty());
    // The first line is that of `report`.
    assert_eq!(code.filter(|line| !line.starts_with("//")).count(), said);
}

/// Much less than the server would go on.
const DEADLINE: Duration = Duration::from_millis(300);

/// What one exchange reads at most is a hundred interim answers of the largest size. What the systems of
/// both sides hold of a connection comes on top.
const MOST: u64 = (13 + 32) << 20;

const LINE: &str = "HTTP/1.1 200 OK\r\nX: ";
const BODY: &str = "HTTP/1.1 200 OK\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;";
const WAIT: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What a server sends behind a request: something once, and something again and again.
struct Hostile {
    name: &'static str,
    once: &'static str,
    again: Vec<u8>,
    pause: Duration,
    /// What the example says about it.
    told: &'static str,
}

#[test]
fn w40_w41_no_server_holds_the_example_past_its_deadline() {
    let flood = |name, once, again: &[u8], told| Hostile {
        name,
        once,
        again: again.repeat(4096 / again.len()),
        pause: Duration::ZERO,
        told,
    };
    let drip = |name, once, again: &[u8], told| Hostile {
        name,
        once,
        again: again.to_vec(),
        pause: Duration::from_millis(1),
        told,
    };
    let (protocol, timeout, taken) = ("did not answer in HTTP", "in time", "delivered");
    let servers = [
        flood("an endless header line", LINE, b"x", protocol),
        flood("endless header lines", "HTTP/1.1 200 OK\r\n", b"X: x\r\n", protocol),
        flood("endless interim answers", "", WAIT, protocol),
        flood("an endless body", BODY, b"x", taken),
        flood("an endless chunk extension", CHUNKED, b"x", taken),
        drip("a header line byte by byte", LINE, b"x", timeout),
        drip("a body byte by byte", BODY, b"x", taken),
        drip("silence", "", b"", timeout),
    ];
    for hostile in servers {
        let Hostile { name, told, .. } = hostile;
        let sent = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&sent);
        let server = ScriptedServer::run(move |mut connection| {
            if connection.request().is_none() || connection.try_send(hostile.once).is_err() {
                return;
            }
            let until = Instant::now() + PATIENCE;
            while Instant::now() < until && connection.try_send(&hostile.again).is_ok() {
                counted.fetch_add(hostile.again.len() as u64, Ordering::Relaxed);
                thread::sleep(hostile.pause);
                if hostile.again.is_empty() {
                    return connection.hang();
                }
            }
        });
        let api = Api::new(BaseUrl::new(&server.url()).unwrap());
        let (mut out, begun) = (Vec::new(), Instant::now());
        let deadlines = Deadlines::new().total(DEADLINE);
        let is_outcome =
            |event: &Event| matches!(event, Event::AttemptFailed { .. } | Event::Delivered { .. });
        example::report(api, deadlines, &mut out, is_outcome).unwrap();

        let took = begun.elapsed();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains(told), "{name}: {out}");
        let connections = server.connections() as u64;
        // Four attempts of the registration and of usage: it does not try again at once, and for ever.
        assert!(connections <= 8, "{name}: {connections} connections");
        let sent = sent.load(Ordering::Relaxed);
        assert!(sent <= connections * MOST, "{name}: {sent} bytes on {connections} connections");
        assert!(took < PATIENCE / 2, "{name}: it took {took:?}");
    }
}

#[test]
fn the_example_says_where_it_cannot_connect() {
    for (url, told) in [
        ("https://127.0.0.1:1", "there is no TLS in this example"),
        ("http://127.0.0.1:1", "could not connect to http://127.0.0.1:1"),
        ("http://[::1]:1", "could not connect to http://[::1]:1"),
    ] {
        let api = Api::new(BaseUrl::new(url).unwrap());
        let mut out = Vec::new();
        let failed = |event: &Event| matches!(event, Event::AttemptFailed { .. });
        let deadlines = Deadlines::new().total(DEADLINE);
        example::report(api, deadlines, &mut out, failed).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains(told), "{out}");
    }
}
