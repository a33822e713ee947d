//! The application's own settings stand, and what is forced stays forced.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use usage_hyper::Client;
use usage_hyper::hyper_util::client::legacy::Builder;
use usage_hyper::hyper_util::rt::TokioExecutor;
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::{Protocol, Timeout};

use crate::server::{Event, Server};
use crate::{CREATED, PATIENCE, SHORT, api, expect, unanswered, usage};

fn configured(url: &str, configure: impl FnOnce(&mut Builder) -> &mut Builder) -> Client {
    Client::configured(api(url), Deadlines::new().total(PATIENCE), configure).unwrap()
}

#[tokio::test]
async fn what_is_forced_cannot_be_undone() {
    let nonsense = Server::answering_once("nonsense\r\n\r\n");
    let client = configured(&nonsense.url(), |builder| builder.http09_responses(true));
    expect(&unanswered(client.save(&usage()).await), Protocol, true, true);

    let server = Server::answering_once(CREATED);
    let client =
        configured(&server.url(), |builder| builder.set_host(false).retry_canceled_requests(false));
    client.save(&usage()).await.unwrap();
    let head = &server.requests()[0].head;
    assert!(head.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", server.port())), "{head}");
}

#[tokio::test]
async fn another_builder_may_take_the_place_of_ours() {
    let server = Server::answering(CREATED);
    let client = configured(&server.url(), |builder| {
        *builder = Builder::new(TokioExecutor::new());
        builder.set_host(false)
    });
    client.save(&usage()).await.unwrap();
    assert!(server.requests()[0].head.contains("\r\nhost: 127.0.0.1:"));
}

#[tokio::test]
async fn the_pool_can_be_turned_off() {
    let server = Server::answering(CREATED);
    let client = configured(&server.url(), |builder| builder.pool_max_idle_per_host(0));
    for _ in 0..3 {
        client.save(&usage()).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let (mut closed, close) = Event::new();
    let server = Server::start(move |mut connection| {
        connection.request();
        connection.send(CREATED);
        connection.hang();
        close();
    });
    let client = configured(&server.url(), |builder| builder.pool_idle_timeout(SHORT));
    client.save(&usage()).await.unwrap();
    // With the client still there, and nobody asking for anything.
    closed.happens().await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
#[cfg(target_os = "linux")] // Other systems refuse what they have no room for.
async fn w41_a_server_that_takes_no_connection_ends_with_the_connect_deadline() {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    // Until there is no room.
    let waiting: Vec<_> =
        std::iter::from_fn(|| TcpStream::connect_timeout(&address, SHORT).ok()).collect();

    for deadlines in [
        Deadlines::new().total(PATIENCE).connect(SHORT),
        Deadlines::new().total(SHORT).connect(PATIENCE),
        Deadlines::new().connect(Duration::ZERO),
    ] {
        let api = api(&format!("http://{address}"));
        let client = Client::configured(api, deadlines, |builder| builder).unwrap();
        expect(&unanswered(client.save(&usage()).await), Timeout, false, true);
    }
    drop(waiting);
}

#[tokio::test]
async fn w41_the_connect_deadline_says_nothing_about_an_answer() {
    let server = Server::start(|mut connection| {
        connection.request();
        std::thread::sleep(SHORT * 2);
        connection.send(CREATED);
    });
    let deadlines = Deadlines::new().total(PATIENCE).connect(SHORT);
    let client = Client::configured(api(&server.url()), deadlines, |builder| builder).unwrap();
    client.save(&usage()).await.unwrap();
}
