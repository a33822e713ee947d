//! How many reports a second are acknowledged, each of them durable first, and how long they wait.
//!
//! `cargo bench -p usage-server --bench acknowledged -- [REPORTS [FILLED [OLD]]]`. Many connections,
//! one report at a time on each, with a key and an instance of its own: what the indexes cost is in
//! it. FILLED reports are in the database before, and OLD more that are pruned meanwhile. With
//! `USAGE_DATABASE`, an address, it is done on that database, as it is.
//!
//! With `-- --rows 2000000,6000000` it is told how a database fares that has so many, see
//! [`grown`].

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails says so")]

mod fill;
mod grown;
#[path = "../reports/server_process.rs"]
mod server_process;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use usage_server::{Config, Database, Server, Store};

use self::fill::fill;

const CONNECTIONS: u64 = 128;

fn main() {
    if !server_process::is_here() && !grown::is_asked_for() {
        acknowledged();
    }
}

fn acknowledged() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<u64>().ok());
    let each = numbers.next().unwrap_or(100_000).div_ceil(CONNECTIONS);
    let (filled, old) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let database = match std::env::var("USAGE_DATABASE") {
        #[cfg(feature = "postgres")]
        Ok(address) => Database::postgres(&address).unwrap(),
        _ => {
            drop(Store::open(&Database::file(&path)).unwrap());
            fill(&path, filled, "now");
            fill(&path, old, "2020-01-01");
            Database::file(&path)
        }
    };
    let config = Config::new(database);
    let config = if old > 0 { config.retention("usage=365d".parse().unwrap()) } else { config };
    let server = Server::bind("127.0.0.1:0", config).unwrap();
    let address = server.local_addr();
    let begun = Instant::now();
    let mut waits: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|connection| scope.spawn(move || report(address, connection, each)))
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let took = begun.elapsed();
    let metrics = server.store().metrics();
    assert_eq!(metrics.stored, CONNECTIONS * each);
    waits.sort_unstable();
    let float = |count: u64| f64::from(u32::try_from(count).unwrap());
    println!(
        "{} reports acknowledged in {took:.2?}: {:.0} a second, {:.1} in a commit; p50 {:.1?}, \
         p99 {:.1?}, longest {:.1?}; {} pruned meanwhile",
        metrics.stored,
        float(metrics.stored) / took.as_secs_f64(),
        float(metrics.stored) / float(metrics.commits),
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
        waits[waits.len() - 1],
        metrics.pruned,
    );
}

/// Sends so many reports, one after the other.
fn report(address: SocketAddr, connection: u64, count: u64) -> Vec<Duration> {
    let mut waits = Vec::new();
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    for number in 0..count {
        // Spread like random ids, and the same in each run.
        let id = (connection << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let body = format!(
            r#"[{{"tags":{{"arch":"x86_64","os":"linux","version":"1.8.10"}},"values":{{"cluster_id":"{:016x}","num_databases":3,"num_measurements":40,"num_series":{number},"server_id":"{id:016x}","uptime":43200.5}}}}]"#,
            id ^ 0x5555,
        );
        let request = format!(
            "POST /api/v1/usage/influxdb HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/json\r\nidempotency-key: \"{id:016x}{number:016x}\"\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let begun = Instant::now();
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 201 "), "{line}");
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut rest = vec![0; length];
        stream.read_exact(&mut rest).unwrap();
        waits.push(begun.elapsed());
    }
    waits
}
