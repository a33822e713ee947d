//! Saves a second, beside the bare library with one pool, the same bytes and the same deadlines, and
//! beside other clients.
//!
//! `cargo bench -p usage-hyper --bench saves` prints a table. Nothing is asserted: what is
//! printed is for a person to read.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls_platform_verifier::BuilderVerifierExt;
use testkit::bench::{AT_ONCE, Saver, Targets, saves};
use testkit::samples::{api, usage};
use tokio::runtime::{Builder, Runtime};
use usage_hyper::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let targets = Targets { bare: 1.0, beside_go: Some([3.0, 9.0]) };
    saves("hyper", targets, |url| ours(&runtime, url), |url| bare(&runtime, url));
    Ok(())
}

#[expect(clippy::expect_used, reason = "a bench without a client measures nothing")]
fn ours<'a>(runtime: &'a Runtime, url: &str) -> Saver<'a> {
    let client = Client::new(api(url)).expect("a client");
    Saver::spawned(runtime, move || {
        let client = client.clone();
        async move { save(&client).await }
    })
}

#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
async fn save(client: &Client) {
    client.save(&usage()).await.expect("saved");
}

type Bare = hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

#[expect(clippy::expect_used, reason = "a bench without a request measures nothing")]
fn bare<'a>(runtime: &'a Runtime, url: &str) -> Saver<'a> {
    let (client, request) = (client(), api(url).build_request(&usage()).expect("built"));
    Saver::spawned(runtime, move || {
        let (client, request) = (client.clone(), request.clone());
        async move { save_bare(&client, &request).await }
    })
}

/// The library as somebody would set it up who wants the same.
#[expect(clippy::expect_used, reason = "a bench without TLS measures nothing")]
fn client() -> Bare {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(Duration::from_secs(30)));
    let tls = usage_hyper::tls_config().with_platform_verifier().expect("authorities");
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls.with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(AT_ONCE)
        .build(connector)
}

#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
async fn save_bare(client: &Bare, request: &Request<Bytes>) {
    let request = request.clone().map(Full::new);
    let whole = async { client.request(request).await.expect("answered").collect().await };
    let answer = tokio::time::timeout(Duration::from_secs(60), whole).await;
    answer.expect("in time").expect("read");
}
