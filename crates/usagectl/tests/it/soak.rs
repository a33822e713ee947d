//! Three servers over one `PostgreSQL`, which are killed, as it is: every report that was acknowledged is
//! there once, and an export that ran all the while has each once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use usage_server::{Database, Selection, Store};

use crate::postgres::cluster;
use crate::usagectl::{PATIENCE, command};

const SERVERS: usize = 3;
const CLIENTS: u64 = 12;

/// How many reports each client has acknowledged before it is done.
const EACH: u64 = 250;

/// How often servers are killed, and the database after each third time.
const KILLS: usize = 6;

/// A server, where it listens, and how to kill it.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(database: &str) -> Self {
        let mut child = command()
            .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of an answer; `None` if there is none.
fn send(address: &str, key: &str) -> Option<u16> {
    let body = format!(r#"[{{"tags":{{}},"values":{{"server_id":"{key}"}}}}]"#);
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(
        stream,
        "POST /api/v1/usage/soak HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/json\r\nidempotency-key: \"{key}\"\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    line.split(' ').nth(1)?.parse().ok()
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice() {
    let Some(cluster) = cluster() else { return };
    let name = cluster.new_database();
    let address = cluster.address(&name, false);
    let start = || Mutex::new(Serving::start(&address));
    let servers: [Mutex<Serving>; SERVERS] = std::array::from_fn(|_| start());
    let store = Store::open(&Database::postgres(&address).unwrap()).unwrap();
    let (acknowledged, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let exported = thread::scope(|scope| {
        let export = scope.spawn(|| export(&store, &done));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (servers, acknowledged) = (&servers, &acknowledged);
                scope.spawn(move || {
                    for number in 0..EACH {
                        report(servers, &format!("key-{client}-{number}"), client + number);
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for kill in 1..=KILLS {
            // While reports are on their way, at so many of them.
            let wanted = CLIENTS * EACH * kill as u64 / (KILLS as u64 + 1);
            until(|| acknowledged.load(Ordering::SeqCst) >= wanted);
            if kill % 3 == 0 {
                cluster.stop();
                cluster.resume();
            } else {
                let mut server = servers[kill % SERVERS].lock().unwrap();
                server.child.kill().unwrap();
                *server = Serving::start(&address);
            }
        }
        for client in clients {
            client.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        export.join().unwrap()
    });
    let all = CLIENTS * EACH;
    assert_eq!(acknowledged.load(Ordering::SeqCst), all);
    let expected: BTreeSet<String> = (0..CLIENTS)
        .flat_map(|client| (0..EACH).map(move |number| format!("key-{client}-{number}")))
        .collect();
    let stored: Vec<String> = store.usage().map(|row| row.unwrap().instance.unwrap()).collect();
    for keys in [&stored, &exported] {
        assert_eq!(keys.len() as u64, all, "each is there once");
        assert_eq!(keys.iter().cloned().collect::<BTreeSet<_>>(), expected);
    }
}

/// Sends a report until it is acknowledged, to whichever server there is.
fn report(servers: &[Mutex<Serving>; SERVERS], key: &str, from: u64) {
    let begun = Instant::now();
    for attempt in from.. {
        let place = usize::try_from(attempt).unwrap_or_default() % SERVERS;
        let address = servers[place].lock().unwrap().address.clone();
        let status = send(&address, key);
        if status == Some(201) {
            return;
        }
        assert!(matches!(status, Some(500) | None), "{status:?}");
        // It waits for a moment, as a reporter does for longer.
        thread::sleep(Duration::from_millis(20));
        assert!(begun.elapsed() < PATIENCE, "{key} is not acknowledged");
    }
}

/// Reads on from where it was, until there is nothing more to come.
fn export(store: &Store, done: &AtomicBool) -> Vec<String> {
    let (mut all, mut last) = (Vec::new(), 0);
    loop {
        // Asked before the last look.
        let was_done = done.load(Ordering::SeqCst);
        let mut is_there = true;
        for row in store.reports(Selection::new().after(last)) {
            // While the database is away it goes on from where it was.
            let Ok(row) = row else {
                is_there = false;
                break;
            };
            last = row.position;
            all.push(row.instance.unwrap());
        }
        if was_done && is_there {
            return all;
        }
    }
}

fn until(happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(1));
    }
}
