//! How many reports a second are acknowledged, each of them durable first.
//!
//! `cargo bench -p usage-server --bench acknowledged -- [REPORTS]`. Many connections, one report at
//! a time on each, with a key and an instance of its own: what the indexes cost is in it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails says so")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

use usage_server::{Config, Database, Server};

const CONNECTIONS: u64 = 128;

fn main() {
    let wanted = std::env::args().skip(1).find_map(|word| word.parse::<u64>().ok());
    let each = wanted.unwrap_or(100_000).div_ceil(CONNECTIONS);
    let server = Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap();
    let address = server.local_addr();
    let begun = Instant::now();
    thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            scope.spawn(move || report(address, connection, each));
        }
    });
    let took = begun.elapsed();
    let metrics = server.store().metrics();
    assert_eq!(metrics.stored, CONNECTIONS * each);
    let size = std::fs::metadata(server.store().path()).unwrap().len();
    println!(
        "{} reports acknowledged in {took:.2?}: {:.0} a second, {:.1} in a commit, {} bytes each",
        metrics.stored,
        f64::from(u32::try_from(metrics.stored).unwrap()) / took.as_secs_f64(),
        f64::from(u32::try_from(metrics.stored).unwrap())
            / f64::from(u32::try_from(metrics.commits).unwrap()),
        size / metrics.stored,
    );
}

/// Sends so many reports, one after the other.
fn report(address: SocketAddr, connection: u64, count: u64) {
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
    }
}
