//! Durable reports a second over 64 connections, beside the same router with a handler that reads
//! the JSON and stores nothing.
//!
//! `cargo bench -p usage-server --bench reports` prints a table. Nothing is asserted but that each
//! report is taken.

#![expect(clippy::expect_used, reason = "a bench without a connection measures nothing")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{process, thread};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use testkit::bench::{Row, compare, print};
use usage_proto::{Api, BaseUrl, Usage, UsageData};
use usage_server::{Config, Database, Server};

/// How many clients there are, each with a connection.
const CLIENTS: usize = 64;

/// How many reports each sends in a round.
const EACH: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("usage.db");
    let server = Server::bind("127.0.0.1:0", Config::new(Database::file(file)))?;
    let token = server.create_token("Example Inc.")?;
    let token = format!("X-Authorization: {}\r\n", token.expose());
    let with_key = format!("{token}Idempotency-Key: \"KEY\"\r\n");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bare = runtime.block_on(stores_nothing())?;
    let ours = server.local_addr();
    let data = UsageData::new().tag("os", "linux").tag("version", "1.8.10");
    let data = data.value("num_databases", 3).value("num_series", 87_232).value("uptime", 39);
    let data = data.value("cluster_id", "clus1").value("server_id", "5e3ddc2c-0c27-4a3b");
    let api = Api::new(BaseUrl::new(&server.url())?);
    let body = api.build_request(&Usage::new("influxdb").data(data))?.into_body();
    let body = String::from_utf8(body.to_vec())?;
    let row = |what, target, headers: &str| row(what, target, [ours, bare], headers, &body);
    print(&[
        row("anonymous", 0.75, ""),
        row("with a token", 0.70, &token),
        row("with a token and a fresh key", 0.65, &with_key),
    ]);
    server.shutdown()?;
    runtime.shutdown_background();
    Ok(())
}

fn row(what: &str, target: f64, at: [SocketAddr; 2], headers: &str, body: &str) -> Row {
    let [mut ours, mut bare] = at.map(|address| Clients::new(address, headers, body));
    compare(
        &format!("usage-server, reports, {what}"),
        CLIENTS * EACH,
        target,
        || ours.send_all(),
        || bare.send_all(),
    )
}

/// The bare server.
async fn stores_nothing() -> Result<SocketAddr, Box<dyn Error>> {
    let taken = async |body: Bytes| match serde_json::from_slice::<Value>(&body) {
        Ok(_) => (StatusCode::CREATED, "{}"),
        Err(_) => (StatusCode::BAD_REQUEST, "{}"),
    };
    let router = Router::new().route("/api/v1/usage/{product}", post(taken));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

struct Clients(Vec<Client>);

impl Clients {
    fn new(address: SocketAddr, headers: &str, body: &str) -> Self {
        let request = format!(
            "POST /api/v1/usage/influxdb HTTP/1.1\r\nHost: {address}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        let client = |_| {
            let stream = TcpStream::connect(address).expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            Client { stream, request: request.clone() }
        };
        Self((0..CLIENTS).map(client).collect())
    }

    fn send_all(&mut self) {
        thread::scope(|scope| {
            for client in &mut self.0 {
                scope.spawn(|| (0..EACH).for_each(|_| client.send()));
            }
        });
    }
}

struct Client {
    stream: TcpStream,
    request: String,
}

impl Client {
    fn send(&mut self) {
        static KEYS: AtomicU64 = AtomicU64::new(0);
        let key = KEYS.fetch_add(1, Ordering::Relaxed);
        let key = format!("{:08x}-{key:016x}", process::id());
        let request = self.request.replacen("KEY", &key, 1);
        self.stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        let mut piece = [0; 1024];
        while !is_whole(&answer) {
            let count = self.stream.read(&mut piece).expect("read");
            assert!(count > 0, "closed behind {:?}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..count]);
        }
        let is_taken = answer.starts_with(b"HTTP/1.1 201");
        assert!(is_taken, "{}", String::from_utf8_lossy(&answer));
    }
}

/// Whether an answer has come whole, by its length.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.is_none_or(|length: usize| body.len() >= length)
}
