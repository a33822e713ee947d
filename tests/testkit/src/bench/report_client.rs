//! Clients that send one report again and again, with as little work of their own as can be.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Whether each report has an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// None has one.
    None,
    /// Each has another one, as random as any.
    Fresh,
}

/// What stands in a request where a fresh text of 16 or 32 hexadecimal digits has to be.
const ID: &str = "{16 hex digits}";
const KEY: &str = "{32 hex digits}";

/// The data of a usage report, 221 bytes of JSON, of an installation that is another one each time.
const DATA: &str = r#"[{"tags":{"arch":"x86_64","os":"linux","version":"1.8.10"},"values":{"cluster_id":"5e3ddc2c0c274a3b","num_databases":3,"num_measurements":40,"num_series":187,"queries":12,"server_id":"{16 hex digits}","uptime":43200.5}}]"#;

/// A connection that has one report on its way at most.
#[derive(Debug)]
pub struct ReportClient {
    address: SocketAddr,
    stream: TcpStream,
    request: String,
    answer: Vec<u8>,
}

impl ReportClient {
    /// Connects to a Usage API.
    ///
    /// # Panics
    ///
    /// If nobody listens there.
    #[must_use]
    pub fn new(address: SocketAddr, token: Option<&str>, key: Key) -> Self {
        let token = token.map(|token| format!("X-Authorization: {token}\r\n")).unwrap_or_default();
        let key = match key {
            Key::None => String::new(),
            Key::Fresh => format!("Idempotency-Key: \"{KEY}\"\r\n"),
        };
        let length = Self::data(0).len();
        let request = format!(
            "POST /api/v1/usage/influxdb HTTP/1.1\r\nHost: {address}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{token}{key}\r\n{DATA}"
        );
        Self { address, stream: connect(address), request, answer: Vec::new() }
    }

    /// What is reported by the installation of a number.
    #[must_use]
    pub fn data(number: u64) -> String {
        DATA.replacen(ID, &format!("{:016x}", spread(number)), 1)
    }

    /// Sends a report, and waits for the answer.
    ///
    /// # Panics
    ///
    /// If the report is not taken.
    pub fn send(&mut self) {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        // Other processes have been at the same database, with numbers that begin at 1 too.
        let (high, low) = (u64::from(std::process::id()) << 40 | number, spread(number));
        let key = format!("{:016x}{low:016x}", spread(high));
        let request = self.request.replacen(KEY, &key, 1);
        let request = request.replacen(ID, &format!("{:016x}", spread(!high)), 1);
        // A server closes what has said nothing for some seconds, while others had their turn.
        if !self.exchange(&request) {
            self.stream = connect(self.address);
            assert!(self.exchange(&request), "closed without an answer");
        }
        let is_taken = self.answer.starts_with(b"HTTP/1.1 201");
        assert!(is_taken, "{}", String::from_utf8_lossy(&self.answer));
    }

    /// Whether there is an answer.
    fn exchange(&mut self, request: &str) -> bool {
        self.answer.clear();
        if self.stream.write_all(request.as_bytes()).is_err() {
            return false;
        }
        let mut piece = [0; 1024];
        while !is_whole(&self.answer) {
            match self.stream.read(&mut piece) {
                Ok(0) | Err(_) => return false,
                Ok(count) => self.answer.extend_from_slice(&piece[..count]),
            }
        }
        true
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Clients that send at the same time, each over a connection of its own.
#[derive(Debug)]
pub struct ReportClients(Vec<ReportClient>);

impl ReportClients {
    /// So many.
    #[must_use]
    pub fn new(count: usize, address: SocketAddr, token: Option<&str>, key: Key) -> Self {
        Self((0..count).map(|_| ReportClient::new(address, token, key)).collect())
    }

    /// Each sends so many, one after the other.
    pub fn send_all(&mut self, each: usize) {
        thread::scope(|scope| {
            for client in &mut self.0 {
                scope.spawn(move || (0..each).for_each(|_| client.send()));
            }
        });
    }

    pub(super) fn into_clients(self) -> Vec<ReportClient> {
        self.0
    }
}

/// Spreads numbers over all others, each to another one, as random ones are (splitmix64).
fn spread(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Whether an answer has come whole, by its length.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.is_none_or(|length: usize| body.len() >= length)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::{Key, ReportClient};

    #[test]
    fn what_was_closed_meanwhile_is_opened_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            drop(listener.accept().unwrap());
            let mut stream = listener.accept().unwrap().0;
            let count = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").unwrap();
            count
        });
        ReportClient::new(address, None, Key::Fresh).send();
        assert!(server.join().unwrap() > 221);
    }

    #[test]
    fn the_data_are_as_long_as_is_said() {
        assert_eq!(ReportClient::data(7).len(), 221);
        serde_json::from_str::<serde_json::Value>(&ReportClient::data(7)).unwrap();
        assert_ne!(ReportClient::data(7), ReportClient::data(8));
    }
}
