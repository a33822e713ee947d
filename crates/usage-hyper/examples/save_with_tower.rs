//! Reports through a tower stack: one that a program has anyway, around a client of its own, and
//! one around the ready-made service.
//!
//! ```sh
//! cargo run -p usage-hyper --example save_with_tower
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tower::timeout::error::Elapsed;
use tower::{BoxError, ServiceBuilder};
use usage_hyper::Client;
use usage_proto::{Api, Deadlines, TransportError, Usage, UsageData};
use usage_server::{Config, Database};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout()).await
}

/// What it shows goes to `out`.
pub(crate) async fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    let api = Api::new(there.url().parse()?).with_token(there.create_token("Example Inc.")?)?;
    let usage = Usage::new("influxdb").data(UsageData::new().value("num_databases", 3));

    // The program's own client, which follows no redirects and decodes nothing.
    let own: legacy::Client<HttpConnector, Full<Bytes>> =
        legacy::Client::builder(TokioExecutor::new()).build_http();
    let stack = ServiceBuilder::new()
        // What the stack knows of an error. Anything else would count as sent.
        .map_err(|error: BoxError| match error.downcast_ref::<legacy::Error>() {
            Some(unconnected) if unconnected.is_connect() => TransportError::connect(error),
            _ if error.is::<Elapsed>() => TransportError::timeout(error),
            _ => TransportError::other(error),
        })
        .concurrency_limit(2)
        .timeout(Duration::from_secs(5))
        .service(own);
    let client = Client::with_service(api.clone(), Deadlines::new(), stack);
    writeln!(out, "own: {}", client.save(&usage).await?.status())?;

    // Layers around the ready-made service, which has deadlines, a pool, TLS and the proxy.
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let client = Client::new(api)?.map_service(|service| {
        ServiceBuilder::new()
            .map_request(move |request: Request<Full<Bytes>>| {
                if request.headers().contains_key(header::CONTENT_TYPE) {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
                request
            })
            .service(service)
    });
    writeln!(out, "ready-made: {}", client.save(&usage).await?.status())?;
    writeln!(out, "counted: {}", sent.load(Ordering::Relaxed))?;

    writeln!(out, "stored: {} usage reports", there.store().usage().read_all()?.len())?;
    there.shutdown()?;
    match client.save(&usage).await {
        Err(error) => writeln!(out, "gone: {error:#}; try again: {}", error.is_retryable())?,
        Ok(saved) => return Err(format!("expected no answer, got {saved:?}").into()),
    }
    Ok(())
}
