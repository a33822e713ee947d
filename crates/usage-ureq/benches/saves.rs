//! Saves a second, beside the bare library with one pool, the same bytes and the same deadlines, and
//! beside other clients.
//!
//! `cargo bench -p usage-ureq --bench saves` prints a table. Nothing is asserted: what is
//! printed is for a person to read.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use testkit::bench::{AT_ONCE, Saver, Targets, saves};
use testkit::samples::{api, usage};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};
use usage_ureq::Client;

fn main() {
    saves("ureq", Targets { bare: 0.97, beside_go: None }, ours, bare);
}

#[expect(clippy::expect_used, reason = "a bench without a client measures nothing")]
fn ours(url: &str) -> Saver<'static> {
    let client = Client::new(api(url)).expect("a client");
    Saver::blocking(move || save(&client))
}

#[expect(clippy::expect_used, reason = "a bench without a request measures nothing")]
fn bare(url: &str) -> Saver<'static> {
    let (agent, request) = (agent(), api(url).build_request(&usage()).expect("built"));
    Saver::blocking(move || save_bare(&agent, &request))
}

/// The library as somebody would set it up who wants the same.
fn agent() -> Agent {
    Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .timeout_connect(Some(Duration::from_secs(30)))
        .max_redirects(0)
        .http_status_as_error(false)
        .max_idle_connections(AT_ONCE)
        .max_idle_connections_per_host(AT_ONCE)
        .proxy(None)
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
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
