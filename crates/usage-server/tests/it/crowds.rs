//! Clients that take places and give nothing back: they do not keep the others out.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use usage_server::{Config, Server};

use crate::client::{
    Client, PATIENCE, Request, USAGE, get, post, start_with, temporary, wait_until,
};

const TARGET: &str = "/api/v1/usage/influxdb";
const HOUR: Duration = Duration::from_secs(3600);
const HEAD: &str = "POST /api/v1/usage/influxdb HTTP/1.1\r\nHost: h\r\n\
                    Content-Type: application/json\r\nContent-Length: 100\r\n";

/// No deadline comes to the help of these tests.
fn patient() -> Config {
    temporary()
        .first_byte_deadline(HOUR)
        .head_deadline(HOUR)
        .body_deadline(HOUR)
        .write_deadline(HOUR)
}

fn crowd(server: &Server, count: usize, mut says: impl FnMut(&mut Client)) -> Vec<Client> {
    let joins = |_| {
        let mut client = Client::connect(server);
        says(&mut client);
        client
    };
    (0..count).map(joins).collect()
}

/// Whether the other end has closed or reset the connection by now.
fn is_closed(client: &mut Client) -> bool {
    client.stream().set_nonblocking(true).unwrap();
    let closed = match client.stream().read(&mut [0; 64]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    };
    client.stream().set_nonblocking(false).unwrap();
    closed
}

/// A client that writes one request after the other, and reads nothing.
struct Flood {
    client: Client,
    request: Vec<u8>,
    written: usize,
}

impl Flood {
    fn start(server: &Server) -> Self {
        // A small buffer, so that it does not take long.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&server.local_addr().into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let request = Request::post(TARGET, USAGE).to_bytes();
        Self { client: Client::over(socket.into()), request, written: 0 }
    }

    /// Writes for as long as the other end takes it; `false` once it has hung up.
    fn write_on(&mut self) -> bool {
        loop {
            let rest = &self.request[self.written % self.request.len()..];
            match self.client.stream().write(rest) {
                Ok(written) => self.written += written,
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }
}

/// Answers of 32 KiB each: what fits between the sockets is full soon.
fn answer_at_length(server: &Server) {
    server.faults().redirect(Some(&format!("http://{}", "x".repeat(32 * 1024)))).unwrap();
}

#[test]
fn a_silent_crowd_makes_room() {
    for (says, most) in [
        // Nothing.
        ("", 64),
        ("POST /api/v1/us", 16),
        // A head without its body.
        (&*format!("{HEAD}\r\n["), 16),
    ] {
        let server = start_with(patient().connections(most));
        let mut crowd = crowd(&server, most + 8, |client| client.write(says));
        for _ in 0..3 {
            assert_eq!(post(&server, TARGET, USAGE).status, 201, "{says:?}");
        }
        let gone = crowd.iter_mut().filter_map(|client| is_closed(client).then_some(())).count();
        assert!((8..most).contains(&gone), "{gone} of {most} gone, {says:?}");
    }
}

/// Whoever was answered and stays has no right to its place either.
#[test]
fn a_crowd_that_was_answered_makes_room() {
    let server = start_with(patient().connections(8));
    let mut crowd = crowd(&server, 8, |client| {
        assert_eq!(client.send(&Request::post(TARGET, USAGE)).status, 201);
    });
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
    // The first was answered first, and has waited longest.
    wait_until("the first has gone", || is_closed(&mut crowd[0]));
    for client in &mut crowd[1..] {
        assert_eq!(client.send(&Request::post(TARGET, USAGE)).status, 201);
    }
}

#[test]
fn a_crowd_that_does_not_read_makes_room() {
    let server = start_with(patient().connections(8));
    answer_at_length(&server);
    let mut crowd: Vec<_> = (0..8).map(|_| Flood::start(&server)).collect();
    let all_stalled = |crowd: &mut Vec<Flood>| {
        let before: Vec<_> = crowd.iter().map(|flood| flood.written).collect();
        crowd
            .iter_mut()
            .zip(before)
            .all(|(flood, before)| flood.write_on() && flood.written == before)
    };
    wait_until("all of them are stalled", || all_stalled(&mut crowd));
    server.faults().clear();
    assert_eq!(get(&server, "/healthz").status, 200);
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
}

/// There is room enough: the deadline alone ends it.
#[test]
fn a_client_that_does_not_read_is_ended() {
    let server = start_with(patient().write_deadline(Duration::from_millis(100)));
    answer_at_length(&server);
    let mut flood = Flood::start(&server);
    wait_until("the server has hung up", || !flood.write_on());
    assert_eq!(get(&server, "/healthz").status, 200);
}

/// Not even a byte came, from one that connected and from one that was answered.
#[test]
fn a_client_that_says_nothing_is_ended() {
    let deadline = Duration::from_millis(50);
    let server = start_with(patient().first_byte_deadline(deadline));
    let mut talking = Client::connect(&server);
    talking.write("P");
    Client::connect(&server).closed();
    // Who has said something has another deadline.
    talking.write(&Request::post(TARGET, USAGE).to_bytes()[1..]);
    assert_eq!(talking.answer().status, 201);

    let server = start_with(patient().head_deadline(deadline));
    let mut answered = Client::connect(&server);
    assert_eq!(answered.send(&Request::post(TARGET, USAGE)).status, 201);
    answered.closed();
}

/// Nobody is sent away while it waits for its own answer: who comes then waits for its turn.
#[test]
fn who_waits_for_an_answer_keeps_its_place() {
    let server = start_with(patient().connections(2));
    let lock = crate::storage::beside(&server);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let request = Request::post(TARGET, USAGE);
    let mut inside = crowd(&server, 2, |client| client.write(request.to_bytes()));
    wait_until("both are in the queue", || server.store().metrics().waiting == 2);

    let mut next = Client::connect(&server);
    next.write(request.to_bytes());
    // Longer than anybody else would be left alone.
    next.stream().set_read_timeout(Some(Duration::from_millis(2500))).unwrap();
    let early = next.stream().read(&mut [0]).unwrap_err();
    assert!(matches!(early.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{early}");
    assert_eq!(server.store().metrics().waiting, 2);

    lock.execute_batch("COMMIT").unwrap();
    next.stream().set_read_timeout(Some(PATIENCE)).unwrap();
    for client in inside.iter_mut().chain([&mut next]) {
        assert_eq!(client.answer().status, 201);
    }
}

/// Connects from another address of this machine, all of 127.0.0.0/8 being its own.
#[cfg(target_os = "linux")]
fn connect_from(server: &Server, address: Ipv4Addr) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((address, 0)).into()).unwrap();
    socket.connect(&server.local_addr().into()).unwrap();
    Client::over(TcpStream::from(socket))
}

#[cfg(target_os = "linux")]
#[test]
fn one_address_leaves_places_for_others() {
    let server = start_with(patient().connections(64).connections_per_address(2));
    let (one, other) = (Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3));
    server.faults().delay(HOUR);
    let request = Request::post(TARGET, USAGE);
    let mut busy: Vec<_> = (0..2).map(|_| connect_from(&server, one)).collect();
    for client in &mut busy {
        client.write(request.to_bytes());
    }
    wait_until("both are stored", || server.store().usage().read_all().unwrap().len() == 2);
    server.faults().clear();

    let mut third = connect_from(&server, one);
    wait_until("the third is closed", || is_closed(&mut third));
    assert_eq!(connect_from(&server, other).send(&request).status, 201);
    assert!(busy.iter_mut().all(|client| !is_closed(client)));

    // A connection of its own that is idle makes room instead, once it may have to go.
    let mut idle: Vec<_> = (0..2).map(|_| connect_from(&server, other)).collect();
    wait_until("an idle one makes room", || {
        let mut client = connect_from(&server, other);
        // It may be closed already.
        let _ = client.stream().write_all(&request.to_bytes());
        client.try_answer().is_some_and(|answer| answer.status == 201)
    });
    wait_until("one of the idle has gone", || idle.iter_mut().any(is_closed));
}

/// The system finds out about clients that have vanished.
#[cfg(target_os = "linux")]
#[test]
fn the_system_watches_every_connection() {
    let server = start_with(patient());
    let mut client = Client::connect(&server);
    assert_eq!(client.send(&Request::post(TARGET, USAGE)).status, 201);
    let (here, there) = (server.local_addr(), client.stream().local_addr().unwrap());
    let end = |address: SocketAddr| format!("0100007F:{:04X}", address.port());
    let connection = format!(" {} {} 01 ", end(here), end(there));
    // The timer that runs on an idle connection is 02, keep-alive; without it there is none.
    wait_until("keep-alive is all that runs", || {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let line = table.lines().find(|line| line.contains(&connection)).unwrap();
        line.split_whitespace().nth(5).unwrap().starts_with("02:")
    });
}
