//! The application's own settings stand, and what is forced stays forced.

use testkit::outcome::{saved, sent};
use testkit::samples::{CREATED, SHORT, api};
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_hyper::Client;
use usage_hyper::hyper_util::client::legacy::Builder;
use usage_hyper::hyper_util::rt::TokioExecutor;
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::Protocol;

use crate::event::Event;
use crate::save;

fn configured(url: &str, configure: impl FnOnce(&mut Builder) -> &mut Builder) -> Client {
    Client::configured(api(url), Deadlines::new().total(PATIENCE), configure).unwrap()
}

#[tokio::test]
async fn what_is_forced_cannot_be_undone() {
    let nonsense = ScriptedServer::start([Script::answer("nonsense\r\n\r\n")]);
    let client = configured(&nonsense.url(), |builder| builder.http09_responses(true));
    assert_eq!(save(&client).await, sent(Protocol));

    let server = ScriptedServer::start([Script::answer(CREATED)]);
    let client =
        configured(&server.url(), |builder| builder.set_host(false).retry_canceled_requests(false));
    assert_eq!(save(&client).await, saved(201, "{}"));
    let head = &server.received()[0].head;
    assert!(head.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", server.port())), "{head}");
}

#[tokio::test]
async fn another_builder_may_take_the_place_of_ours() {
    let server = ScriptedServer::answering(CREATED);
    let client = configured(&server.url(), |builder| {
        *builder = Builder::new(TokioExecutor::new());
        builder.set_host(false)
    });
    assert_eq!(save(&client).await, saved(201, "{}"));
    assert!(server.received()[0].head.contains("\r\nhost: 127.0.0.1:"));
}

#[tokio::test]
async fn the_pool_can_be_turned_off() {
    let server = ScriptedServer::answering(CREATED);
    let client = configured(&server.url(), |builder| builder.pool_max_idle_per_host(0));
    for _ in 0..3 {
        assert_eq!(save(&client).await, saved(201, "{}"));
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let (mut closed, close) = Event::new();
    let server = ScriptedServer::run(move |mut connection| {
        connection.request();
        connection.send(CREATED);
        connection.hang();
        close();
    });
    let client = configured(&server.url(), |builder| builder.pool_idle_timeout(SHORT));
    assert_eq!(save(&client).await, saved(201, "{}"));
    // With the client still there, and nobody asking for anything.
    closed.happens().await;
    assert_eq!(server.connections(), 1);
}
