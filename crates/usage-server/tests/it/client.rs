//! A small blocking HTTP/1.1 client, so that a test sees every byte of an answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use usage_server::{Config, Database, Server};

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const SERVER: &str = r#"{"cluster_id":"clus1","server_id":"serv1","host":"example.com","product":"influxdb","version":"1.0"}"#;
pub(crate) const STATS: &str = r#"{"cluster_id":"clus1","server_id":"serv1","stats":[{"name":"engine","tags":{"version":"bz1"},"values":{"blks_write":39}}]}"#;
pub(crate) const USAGE: &str = r#"[{"tags":{"os":"linux"},"values":{"num_databases":3}}]"#;

/// One that nobody guesses.
pub(crate) const FORGET: &str =
    r#"{"cluster_id":"clus1","server_id":"0123456789abcdef0123456789abcdef"}"#;

pub(crate) fn start() -> Server {
    start_with(temporary())
}

pub(crate) fn start_with(config: Config) -> Server {
    Server::bind("127.0.0.1:0", config).unwrap()
}

pub(crate) fn temporary() -> Config {
    Config::new(Database::temporary())
}

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Self {
        Self::over(TcpStream::connect(server.local_addr()).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.stream.get_mut()
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream().write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn send(&mut self, request: &Request) -> Answer {
        self.write(request.to_bytes());
        self.answer()
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer().expect("an answer")
    }

    /// `None` if the connection was closed instead.
    pub(crate) fn try_answer(&mut self) -> Option<Answer> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: String::new() };
        if let Some(length) = answer.header("content-length") {
            let mut body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut body).unwrap();
            answer.body = String::from_utf8(body).unwrap();
        }
        Some(answer)
    }

    /// Waits for the other end to close, and for no byte before that.
    pub(crate) fn closed(&mut self) {
        let mut rest = Vec::new();
        let end = self.stream.read_to_end(&mut rest);
        assert!(end.is_ok(), "the connection was reset: {end:?}");
        assert!(rest.is_empty(), "more than one answer: {}", String::from_utf8_lossy(&rest));
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(1..) => Some(line.trim_end().to_owned()),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).unwrap()
    }

    /// The message of `{"error":"…"}`.
    pub(crate) fn error(&self) -> String {
        let json = self.json();
        assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
        json["error"].as_str().unwrap().to_owned()
    }
}

/// A request over a connection of its own, unless a [`Client`] sends it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        Self { head: head.into_bytes(), body: Vec::new() }
    }

    pub(crate) fn post(target: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        let length = body.len().to_string();
        Self { body, ..Self::new("POST", target) }
            .header("Content-Type", "application/json")
            .header("Content-Length", &length)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.head, "{name}: {value}\r\n").unwrap();
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("X-Authorization", token)
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", &format!("\"{key}\""))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.head, &b"\r\n"[..], &self.body].concat()
    }

    pub(crate) fn send(&self, server: &Server) -> Answer {
        Client::connect(server).send(self)
    }
}

pub(crate) fn post(server: &Server, target: &str, body: impl AsRef<[u8]>) -> Answer {
    Request::post(target, body).send(server)
}

pub(crate) fn get(server: &Server, target: &str) -> Answer {
    Request::new("GET", target).send(server)
}

/// Waits for something that will happen.
pub(crate) fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
