//! Sockets that are not one TCP address.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use usage_server::{ListenAddress, Listener, Listeners, Server, ServerError};

use crate::client::{PATIENCE, Request, USAGE, post, temporary};

fn status_over(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = Request::post("/api/v1/usage/p", USAGE).header("Connection", "close");
    stream.write_all(&request.to_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[test]
fn a_socket_in_the_file_system_and_an_address_are_served_alike() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let listeners = Listeners::new(Listener::bind_unix(&path).unwrap())
        .and(Listener::bind("127.0.0.1:0").unwrap());
    let server = Server::listen(listeners, temporary()).unwrap();
    let address = ListenAddress::Unix(Some(path.clone()));
    assert_eq!(server.addresses()[0], address);
    assert_eq!(address.to_string(), format!("unix:{}", path.display()));
    for _ in 0..20 {
        assert_eq!(status_over(&path), "HTTP/1.1 201 Created");
        assert_eq!(post(&server, "/api/v1/usage/p", USAGE).status, 201);
    }
    assert_eq!(server.store().metrics().stored, 40);
    server.shutdown().unwrap();
    assert!(!path.exists(), "the socket goes with its server");
}

#[test]
fn only_a_socket_that_nobody_listens_on_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    // As after a crash: the file is there, and no process.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.metadata().unwrap().file_type().is_socket());
    let first = Server::listen(Listeners::new(Listener::bind_unix(&path).unwrap()), temporary());
    let first = first.unwrap();
    assert_eq!(status_over(&path), "HTTP/1.1 201 Created");

    let taken = Listener::bind_unix(&path).unwrap_err();
    assert!(matches!(taken, ServerError::Socket { .. }), "{taken:?}");
    assert!(taken.to_string().contains("api.sock"), "{taken}");
    assert_eq!(status_over(&path), "HTTP/1.1 201 Created");
    first.shutdown().unwrap();

    std::fs::write(&path, "precious").unwrap();
    Listener::bind_unix(&path).unwrap_err();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

/// As systemd hands them over.
#[test]
fn sockets_that_are_open_already_are_taken() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let unix = UnixListener::bind(&path).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let server = Server::listen(Listeners::new(tcp.into()).and(unix.into()), temporary()).unwrap();
    assert_eq!(server.local_addr(), address);
    assert_eq!(status_over(&path), "HTTP/1.1 201 Created");
    assert_eq!(post(&server, "/api/v1/usage/p", USAGE).status, 201);
    server.shutdown().unwrap();
    assert!(path.exists(), "it belongs to who has made it");
}
