//! A server that is a process of its own, so that its memory and its time are nobody else's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use testkit::bench::ProcessFigures;
use usage_server::{Config, Database, Server};

const WORD: &str = "--serve";

/// Serves until its standard input ends, if this is the process for it.
pub(crate) fn is_here() -> bool {
    let mut words = std::env::args().skip_while(|word| word != WORD).skip(1);
    let Some(database) = words.next() else { return false };
    let mut input = BufReader::new(std::io::stdin());
    // It is put where it is to be before it does anything.
    input.read_line(&mut String::new()).unwrap();
    let server = Server::bind("127.0.0.1:0", Config::new(named(&database))).unwrap();
    let token = server.create_token("Example Inc.").unwrap();
    let line = format!("{} {}\n", server.local_addr(), token.expose());
    std::io::stdout().write_all(line.as_bytes()).unwrap();
    input.read_to_end(&mut Vec::new()).unwrap();
    server.shutdown().unwrap();
    true
}

/// A file, or the address of a database of `PostgreSQL`.
pub(crate) fn named(database: &str) -> Database {
    #[cfg(feature = "postgres")]
    if database.starts_with("postgres:") {
        return Database::postgres(database).unwrap();
    }
    Database::file(database)
}

/// Such a process.
pub(crate) struct ServerProcess {
    child: Child,
    address: SocketAddr,
    token: String,
}

impl ServerProcess {
    /// Starts it over a database; as a member of a control group, if one is named.
    pub(crate) fn start(database: &str, group: Option<&Path>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([WORD, database])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(group) = group {
            std::fs::write(group.join("cgroup.procs"), child.id().to_string()).unwrap();
        }
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (address, token) = line.trim_end().split_once(' ').unwrap();
        Self { address: address.parse().unwrap(), token: token.to_owned(), child }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// What it has cost so far.
    pub(crate) fn figures(&self) -> Result<ProcessFigures, String> {
        ProcessFigures::of(self.child.id())
    }

    /// Lets it end, and waits for it.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}
