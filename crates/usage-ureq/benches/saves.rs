//! Saves a second, beside the bare library with one pool, the same bytes and the same deadlines.
//!
//! `cargo bench -p usage-ureq --bench saves` prints a table. Nothing is asserted: what is printed is for a
//! person to read.

use std::error::Error;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use testkit::bench::{AT_ONCE, EACH, IN_SEQUENCE, Row, Server, compare, print};
use testkit::samples::{api, usage};
use ureq::Agent;
use usage_ureq::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    let client = Client::new(api(&server.url()))?;
    let request = client.api().build_request(&usage())?;
    let bare = bare();

    let in_sequence = compare(
        "ureq: saves in sequence",
        IN_SEQUENCE,
        0.90,
        || (0..IN_SEQUENCE).for_each(|_| save(&client)),
        || (0..IN_SEQUENCE).for_each(|_| save_bare(&bare, &request)),
    );
    let together = compare(
        "ureq: 64 at once",
        AT_ONCE * EACH,
        0.90,
        || at_once(|| save(&client)),
        || at_once(|| save_bare(&bare, &request)),
    );

    // How many connections does a client of its own open?
    let of = |client: &Client, work: &dyn Fn(&Client)| {
        let _ = server.take_connections();
        work(client);
        Some(server.take_connections())
    };
    let fresh = Client::new(api(&server.url()))?;
    let sequence = of(&fresh, &|client| (0..1_000).for_each(|_| save(client)));
    let fresh = Client::new(api(&server.url()))?;
    let at_most = of(&fresh, &|client| at_once(|| save(client)));
    print(&[
        Row { connections: sequence, ..in_sequence },
        Row { connections: at_most, ..together },
    ]);
    Ok(())
}

/// The library as somebody would set it up who wants the same.
fn bare() -> Agent {
    Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .timeout_connect(Some(Duration::from_secs(30)))
        .max_redirects(0)
        .http_status_as_error(false)
        .max_idle_connections(AT_ONCE)
        .max_idle_connections_per_host(AT_ONCE)
        .proxy(None)
        .build()
        .into()
}

#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
fn save(client: &Client) {
    client.save(&usage()).expect("saved");
}

#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
fn save_bare(agent: &Agent, request: &Request<Bytes>) {
    let (parts, body) = request.clone().into_parts();
    let mut answer = agent.run(Request::from_parts(parts, &*body)).expect("answered");
    answer.body_mut().read_to_vec().expect("read");
}

fn at_once(save: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| (0..EACH).for_each(|_| save()));
        }
    });
}
