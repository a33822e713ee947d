//! Saves a second, beside the bare library with one pool, the same bytes and the same deadlines, and
//! beside other clients.
//!
//! `cargo bench -p usage-reqwest --bench saves` prints a table. Nothing is asserted: what is
//! printed is for a person to read.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use rustls_platform_verifier::BuilderVerifierExt;
use testkit::bench::{AT_ONCE, Saver, Targets, saves};
use testkit::samples::{api, usage};
use tokio::runtime::{Builder, Runtime};
use usage_reqwest::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let targets = Targets { bare: 0.97, beside_go: Some([3.0, 6.0]) };
    saves("reqwest", targets, |url| ours(&runtime, url), |url| bare(&runtime, url));
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

#[expect(clippy::expect_used, reason = "a bench without a request measures nothing")]
fn bare<'a>(runtime: &'a Runtime, url: &str) -> Saver<'a> {
    let (client, request) = (client(), api(url).build_request(&usage()).expect("built"));
    Saver::spawned(runtime, move || {
        let (client, request) = (client.clone(), request.clone());
        async move { save_bare(&client, &request).await }
    })
}

/// The library as somebody would set it up who wants the same.
#[expect(clippy::expect_used, reason = "a bench without a client measures nothing")]
fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .connect_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(AT_ONCE)
        .no_proxy()
        .tls_backend_preconfigured(tls())
        .build()
        .expect("a client")
}

#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
async fn save_bare(client: &reqwest::Client, request: &Request<Bytes>) {
    let request = reqwest::Request::try_from(request.clone()).expect("a request");
    client.execute(request).await.expect("answered").bytes().await.expect("read");
}

/// Checks a server as the platform does.
#[expect(clippy::expect_used, reason = "a bench without TLS measures nothing")]
fn tls() -> rustls::ClientConfig {
    let provider = rustls::crypto::ring::default_provider();
    rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("both versions")
        .with_platform_verifier()
        .expect("authorities")
        .with_no_client_auth()
}
