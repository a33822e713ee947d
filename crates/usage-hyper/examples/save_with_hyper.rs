//! Registers a server and reports its usage, to a Usage API that runs inside the example:
//!
//! ```sh
//! cargo run -p usage-hyper --example save_with_hyper
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use usage_hyper::Client;
use usage_proto::{Api, Deadlines, ResponseErrorKind, Server, Usage, UsageData};
use usage_server::{Config, Database};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout()).await
}

/// Does it, and tells about it on `out`.
pub(crate) async fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    let token = there.create_token("Example Inc.")?;

    // An application takes the address and the token from its configuration.
    let api = Api::new(there.url().parse()?).with_application("example/1.0")?.with_token(token)?;
    let deadlines = Deadlines::new().total(Duration::from_secs(10));
    let config = usage_hyper::Config::new().idle_timeout(Duration::from_secs(30));
    let client = Client::configured(api, deadlines, config)?;

    // At every start.
    let server = Server::new()
        .cluster_id("cluster-1")
        .server_id("server-1")
        .host("db.example.com")
        .product("influxdb")
        .version("1.8.10");
    writeln!(out, "server: {}", client.save(&server).await?.status())?;

    // Every 12 hours.
    let data = UsageData::new().tag("os", std::env::consts::OS).value("num_databases", 3);
    let usage = Usage::new("influxdb").data(data);
    writeln!(out, "usage: {}", client.save(&usage).await?.status())?;

    // A report that the API refuses.
    match client.save(&server.version("")).await {
        Err(usage_proto::Error::Response(refused)) => {
            writeln!(out, "refused: {refused:#}")?;
            if let ResponseErrorKind::Validation(fields) = refused.kind {
                writeln!(out, "fields: {:?}", fields.errors)?;
            }
        }
        other => return Err(format!("expected a refusal, got {other:?}").into()),
    }

    let (servers, reports) =
        (there.store().servers().read_all()?.len(), there.store().usage().read_all()?.len());
    writeln!(out, "stored: {servers} server, {reports} usage report")?;

    // An API that is not there. `{:#}` says what happened, and why.
    there.shutdown()?;
    match client.save(&usage).await {
        Err(error) => writeln!(out, "gone: {error:#}; try again: {}", error.is_retryable())?,
        Ok(saved) => return Err(format!("expected no answer, got {saved:?}").into()),
    }
    Ok(())
}
