//! The settings of the ready-made client.

use testkit::outcome::saved;
use testkit::samples::{CREATED, SHORT, api};
use testkit::scripted::{PATIENCE, ScriptedServer};
use usage_hyper::{Client, Config};
use usage_proto::Deadlines;

use crate::event::Event;
use crate::save;

fn configured(url: &str, config: Config) -> Client {
    Client::configured(api(url), Deadlines::new().total(PATIENCE), config).unwrap()
}

#[tokio::test]
async fn one_connection_is_enough_for_many_calls_at_once() {
    let server = ScriptedServer::answering(CREATED);
    let client = configured(&server.url(), Config::new().max_connections(1));
    let saves: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { save(&client).await })
        })
        .collect();
    for outcome in saves {
        assert_eq!(outcome.await.unwrap(), saved(201, "{}"));
    }
    assert_eq!((server.connections(), server.received().len()), (1, 8));
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
    let client = configured(&server.url(), Config::new().idle_timeout(SHORT));
    assert_eq!(save(&client).await, saved(201, "{}"));
    // With the client still there, and nobody asking for anything.
    closed.happens().await;
    assert_eq!(server.connections(), 1);
}
