//! Saves a second, beside the bare library with one pool, the same bytes and the same deadlines.
//!
//! `cargo bench -p usage-reqwest --bench saves` prints a table. Nothing is asserted: what is printed is for a
//! person to read.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use testkit::bench::{AT_ONCE, EACH, IN_SEQUENCE, Row, Server, compare, print};
use testkit::samples::{api, usage};
use tokio::runtime::{Builder, Runtime};
use usage_reqwest::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = Server::start();
    let client = Client::new(api(&server.url()))?;
    let request = client.api().build_request(&usage())?;
    let bare = bare();

    let ours = |client: Client| {
        move || {
            let client = client.clone();
            async move { save(&client).await }
        }
    };
    let theirs = move || {
        let (bare, request) = (bare.clone(), request.clone());
        async move { save_bare(&bare, &request).await }
    };
    let in_sequence = compare(
        "reqwest: saves in sequence",
        IN_SEQUENCE,
        0.90,
        || sequence(&runtime, IN_SEQUENCE, ours(client.clone())),
        || sequence(&runtime, IN_SEQUENCE, theirs.clone()),
    );
    let at_once = compare(
        "reqwest: 64 at once",
        AT_ONCE * EACH,
        0.90,
        || together(&runtime, ours(client.clone())),
        || together(&runtime, theirs.clone()),
    );

    // How many connections does a client of its own open?
    let _ = server.take_connections();
    let fresh = Client::new(api(&server.url()))?;
    sequence(&runtime, 1_000, ours(fresh));
    let in_sequence = Row { connections: Some(server.take_connections()), ..in_sequence };
    let fresh = Client::new(api(&server.url()))?;
    together(&runtime, ours(fresh));
    let at_once = Row { connections: Some(server.take_connections()), ..at_once };
    print(&[in_sequence, at_once]);
    Ok(())
}

/// In a task, as an application would: not on the thread that only waits.
#[expect(clippy::expect_used, reason = "a bench that panics measures nothing")]
fn sequence<F>(runtime: &Runtime, count: usize, save: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let task = runtime.spawn(async move {
        for _ in 0..count {
            save().await;
        }
    });
    runtime.block_on(task).expect("no panic");
}

#[expect(clippy::expect_used, reason = "a bench that panics measures nothing")]
fn together<F>(runtime: &Runtime, save: impl Fn() -> F + Clone + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let save = save.clone();
            runtime.spawn(async move {
                for _ in 0..EACH {
                    save().await;
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).expect("no panic");
    }
}

#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
async fn save(client: &Client) {
    client.save(&usage()).await.expect("saved");
}

/// The library as somebody would set it up who wants the same.
#[expect(clippy::expect_used, reason = "a bench without a client measures nothing")]
fn bare() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .connect_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(AT_ONCE)
        .no_proxy()
        .tls_backend_preconfigured(no_tls())
        .build()
        .expect("a client")
}

#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
async fn save_bare(client: &reqwest::Client, request: &Request<Bytes>) {
    let request = reqwest::Request::try_from(request.clone()).expect("a request");
    client.execute(request).await.expect("answered").bytes().await.expect("read");
}

/// reqwest wants to know even if it is not needed.
#[expect(clippy::expect_used, reason = "ring has both versions of TLS")]
fn no_tls() -> rustls::ClientConfig {
    let provider = rustls::crypto::ring::default_provider();
    rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("both versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
