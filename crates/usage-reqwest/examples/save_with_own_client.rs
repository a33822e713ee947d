//! Reports over the `reqwest::Client` that a program has anyway:
//!
//! ```sh
//! cargo run -p usage-reqwest --example save_with_own_client
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use usage_proto::{Api, Usage, UsageData};
use usage_reqwest::reqwest::{self, redirect};
use usage_server::{Config, Database};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout()).await
}

/// What it shows goes to `out`.
pub(crate) async fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    let api = Api::new(there.url().parse()?).with_token(there.create_token("Example Inc.")?)?;

    // The program's own, for all that it does. Reports ask for the first of these settings: a
    // redirect would take the token to another host.
    let builder = reqwest::Client::builder();
    #[cfg(feature = "tls")]
    let builder = builder.tls_backend_preconfigured(no_authority()?);
    let http = builder
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .no_proxy()
        .build()?;
    let health = http.get(format!("{}/healthz", there.url())).send().await?;
    writeln!(out, "health: {}", health.status())?;

    let client = usage_reqwest::Client::with_client(api, http.clone());
    let client = client.with_total_deadline(Duration::from_secs(20));
    let usage = Usage::new("influxdb").data(UsageData::new().value("num_databases", 3));
    match client.save(&usage).await {
        Ok(saved) => writeln!(out, "usage: {}", saved.status())?,
        Err(error) => writeln!(out, "not saved: {error:#}")?,
    }

    writeln!(out, "stored: {} usage report", there.store().usage().read_all()?.len())?;
    there.shutdown()?;
    Ok(())
}

/// In this build reqwest has no TLS but what it is given. A program with reqwest's own feature for
/// TLS needs nothing of the kind.
#[cfg(feature = "tls")]
fn no_authority() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}
