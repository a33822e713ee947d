//! Saves a second, beside the bare library with one pool, the same bytes and the same deadlines.
//!
//! `cargo bench -p usage-ureq --bench saves` prints a table. Nothing is asserted: what is printed is for a
//! person to read.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use testkit::bench::{AT_ONCE, Saver, Server, compare_saves, print};
use testkit::samples::{api, usage};
use ureq::Agent;
use usage_proto::Api;
use usage_ureq::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    let api = api(&server.url());
    let request = api.build_request(&usage())?;
    let bare = bare();
    let bare = Saver::blocking(|| save_bare(&bare, &request));
    print(&compare_saves("ureq", &server, || ours(&api), &bare));
    Ok(())
}

#[expect(clippy::expect_used, reason = "a bench without a client measures nothing")]
fn ours(api: &Api) -> Saver<'static> {
    let client = Client::new(api.clone()).expect("a client");
    Saver::blocking(move || save(&client))
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
