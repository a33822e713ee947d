//! Limits on size, time and number.

use std::io::Write;
use std::time::Duration;

use crate::client::{Client, Request, USAGE, post, start, start_with, temporary, wait_until};

const TARGET: &str = "/api/v1/usage/influxdb";
const MIB: usize = 1024 * 1024;

/// A valid body of exactly this size.
fn usage_of(bytes: usize) -> String {
    let frame = r#"[{"values":{"a":""}}]"#.len();
    format!(r#"[{{"values":{{"a":"{}"}}}}]"#, "x".repeat(bytes - frame))
}

#[test]
fn a_body_at_the_limit_is_taken() {
    let server = start();
    let mut client = Client::connect(&server);
    assert_eq!(client.send(&Request::post(TARGET, usage_of(MIB))).status, 201);
    let answer = client.send(&Request::post(TARGET, usage_of(MIB + 1)));
    assert_eq!(answer.status, 413);
    client.closed();
}

/// A client that writes everything before it reads must find an answer, not a reset.
#[test]
fn a_body_far_above_the_limit_gets_an_answer() {
    let server = start();
    let mut client = Client::connect(&server);
    let answer = client.send(&Request::post(TARGET, usage_of(8 * MIB)));
    assert_eq!(answer.status, 413);
    assert!(answer.error().contains("1048576 bytes"), "{}", answer.error());
    assert_eq!(answer.header("connection"), Some("close"));
    client.closed();
    assert!(server.store().usage().read_all().unwrap().is_empty());
}

#[test]
fn a_chunked_body_far_above_the_limit_gets_an_answer() {
    let server = start();
    let mut client = Client::connect(&server);
    client.write(format!(
        "POST {TARGET} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        8 * MIB
    ));
    client.write(vec![b' '; 8 * MIB]);
    client.write("\r\n0\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    client.closed();
}

#[test]
fn a_body_without_end_is_cut_off() {
    let server = start();
    let mut client = Client::connect(&server);
    client.write(format!(
        "POST {TARGET} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n",
        1_u64 << 40
    ));
    // What is read is thrown away at once, so these are all that can go: 16 MiB that the page
    // promises, one read buffer before the refusal, and what fits between the sockets.
    let most = 16 * MIB + 64 * 1024 + between_sockets();
    let chunk = vec![b' '; 64 * 1024];
    let mut written = 0;
    while let Ok(bytes @ 1..) = client.stream().write(&chunk) {
        written += bytes;
        assert!(written <= most, "the server reads on and on: {written} bytes");
    }
}

/// What two connected sockets hold at most between one program's write and the other's read.
fn between_sockets() -> usize {
    let most = |of: &str| {
        let file = format!("/proc/sys/net/ipv4/tcp_{of}");
        let sizes = std::fs::read_to_string(file).unwrap_or_default();
        sizes.split_whitespace().last().and_then(|size| size.parse().ok()).unwrap_or(8 * MIB)
    };
    most("rmem") + most("wmem")
}

/// A client that asks first is refused before it sends anything.
#[test]
fn a_large_body_is_refused_before_it_is_sent() {
    let server = start();
    let mut client = Client::connect(&server);
    client.write(format!(
        "POST {TARGET} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        2 * MIB
    ));
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    client.closed();
}

#[test]
fn a_body_that_is_asked_for_is_invited() {
    let server = start();
    let mut client = Client::connect(&server);
    client.write(format!(
        "POST {TARGET} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        USAGE.len()
    ));
    assert_eq!(client.answer().status, 100);
    client.write(USAGE);
    assert_eq!(client.answer().status, 201);
}

#[test]
fn the_limit_can_be_set() {
    let server = start_with(temporary().body_limit(100));
    assert_eq!(post(&server, TARGET, usage_of(100)).status, 201);
    let answer = post(&server, TARGET, usage_of(101));
    assert_eq!(answer.status, 413);
    assert!(answer.error().contains("100 bytes"), "{}", answer.error());
}

/// 408 would look like a success to deployed Go clients.
#[test]
fn a_slow_body_is_given_up() {
    let server = start_with(temporary().body_deadline(Duration::from_millis(50)));
    let mut client = Client::connect(&server);
    client.write(format!("POST {TARGET} HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n["));
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (500, Some("close")));
    assert!(answer.error().contains("50ms"), "{}", answer.error());
    client.closed();
}

#[test]
fn a_slow_head_is_given_up() {
    let server = start_with(temporary().head_deadline(Duration::from_millis(50)));
    let mut client = Client::connect(&server);
    client.write(format!("POST {TARGET} HTTP/1.1\r\nHost: h\r\n"));
    client.closed();
}

#[test]
fn a_body_that_breaks_off_is_not_stored() {
    let server = start();
    let mut client = Client::connect(&server);
    client.write(format!("POST {TARGET} HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n[]"));
    client.stream().shutdown(std::net::Shutdown::Write).unwrap();
    // Whatever it hears, it is no success.
    assert!(client.try_answer().is_none_or(|answer| answer.status == 422));
    assert!(server.store().usage().read_all().unwrap().is_empty());
}

/// The rest of a refused body is awaited for a while only.
#[test]
fn a_refused_client_that_stays_makes_room() {
    let server = start_with(temporary().connections(1));
    let mut refused = Client::connect(&server);
    refused.write(format!("POST {TARGET} HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n["));
    assert_eq!(refused.answer().status, 413);
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
}

/// `{}` is stored as `{"tags":{},"values":{}}`, 8 times as long.
#[test]
fn a_report_that_grows_far_above_the_limit_is_refused() {
    let server = start();
    let empty = |count: usize| format!("[{}{{}}]", "{},".repeat(count - 1));
    let answer = post(&server, TARGET, empty(MIB / 3));
    assert_eq!(answer.status, 422);
    let json = answer.json();
    let message = json["errors"]["body"][0].as_str().unwrap();
    assert!(message.contains("above 2097"), "{message}");
    assert!(server.store().usage().read_all().unwrap().is_empty());
    // It may be twice the limit of a body.
    let count = 2 * MIB / 24 - 1;
    assert_eq!(post(&server, TARGET, empty(count)).status, 201);
    assert_eq!(server.store().usage().read_all().unwrap()[0].report.data.len(), count);
}

/// JSON that takes as long to read as any of its size.
fn slow_usage_of(bytes: usize) -> String {
    let maps = format!("{}{}", r#"{"":"#.repeat(50), "}".repeat(50).replacen('}', "0}", 1));
    let count = bytes / (maps.len() + 1);
    format!(r#"[{{"values":{{"a":[{}]}}}}]"#, vec![maps; count].join(","))
}

/// Bodies that take long to read do not keep back others that do not.
#[test]
fn small_reports_do_not_wait_behind_large_ones() {
    let server = start();
    let large = Request::post(TARGET, slow_usage_of(MIB - 1024)).to_bytes();
    let mut clients: Vec<_> = (0..8).map(|_| Client::connect(&server)).collect();
    std::thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| client.write(&large));
        }
    });
    let small = post(&server, TARGET, usage_of(40 * 1024));
    assert_eq!(small.status, 201);
    // They came before it, and most of them are not answered yet. Counted, and not read: to read them
    // takes as long as to answer the others.
    let stored = server.store().metrics().stored;
    assert!(stored < 8, "the small report came as number {stored}");
    for client in &mut clients {
        assert_eq!(client.answer().status, 201);
    }
}

/// W55: who would wait for longer than its body may take is told so.
#[test]
fn a_queue_has_an_end() {
    let config = temporary().queue_bytes(1).body_deadline(Duration::from_millis(700));
    let server = start_with(config);
    let lock = crate::storage::beside(&server);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut first = Client::connect(&server);
    first.write(Request::post(TARGET, USAGE).to_bytes());
    wait_until("the first waits for the database", || server.store().metrics().waiting == 1);
    // Small ones wait for room, and a large one for its turn behind one that waits for room.
    for body in [USAGE.to_owned(), usage_of(MIB), usage_of(MIB)] {
        let mut client = Client::connect(&server);
        client.write(Request::post(TARGET, body).to_bytes());
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("retry-after")), (500, Some("5")));
        assert!(answer.error().contains("again later"), "{}", answer.error());
        // The connection is as good as before.
        client.write(Request::new("GET", "/nothing").to_bytes());
        assert_eq!(client.answer().status, 404);
    }
    assert_eq!(server.store().metrics().waiting, 1);
    lock.execute_batch("COMMIT").unwrap();
    assert_eq!(first.answer().status, 201);
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
    assert_eq!(server.store().usage().read_all().unwrap().len(), 2);
}

/// The report that waits for the database is the only one in memory, but for the others' bodies.
#[test]
fn reports_wait_for_room() {
    let server = start_with(temporary().queue_bytes(1));
    let lock = crate::storage::beside(&server);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut clients: Vec<_> = (0..8).map(|_| Client::connect(&server)).collect();
    for client in &mut clients {
        client.write(Request::post(TARGET, USAGE).to_bytes());
    }
    let waiting = || server.store().metrics().waiting;
    wait_until("a report waits", || waiting() > 0);
    // The queue is open to what takes no room, and that comes after what came before it.
    let mut ready = Client::connect(&server);
    ready.write(Request::new("GET", "/readyz").to_bytes());
    wait_until("it waits too", || waiting() > 1);
    assert_eq!(waiting(), 2);
    lock.execute_batch("COMMIT").unwrap();
    for client in &mut clients {
        assert_eq!(client.answer().status, 201);
    }
    assert_eq!(ready.answer().status, 200);
}
