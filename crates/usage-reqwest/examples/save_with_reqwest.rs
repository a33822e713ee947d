//! Reports to a Usage API that runs inside the example:
//!
//! ```sh
//! cargo run -p usage-reqwest --example save_with_reqwest
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use usage_proto::{Api, Deadlines, ResponseErrorKind, Server, Usage, UsageData};
use usage_reqwest::Client;
use usage_server::{Config, Database};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout()).await
}

/// What it shows goes to `out`.
pub(crate) async fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    let token = there.create_token("Example Inc.")?;

    // An application takes the address and the token from its configuration.
    let api = Api::new(there.url().parse()?).with_application("example/1.0")?.with_token(token)?;
    let deadlines = Deadlines::new().total(Duration::from_secs(10));
    let client = Client::configured(api, deadlines, |builder| builder.tcp_nodelay(true))?;

    // At every start.
    let server = Server::new()
        .cluster_id("cluster-1")
        .server_id("server-1")
        .host("db.example.com")
        .product("influxdb")
        .version("1.8.10");
    writeln!(out, "server: {}", client.save(&server).await?.status())?;

    // Every 12 hours, in a task of its own: the future borrows nothing.
    let data = UsageData::new().tag("os", std::env::consts::OS).value("num_databases", 3);
    let report = tokio::spawn(client.save(&Usage::new("influxdb").data(data)));
    writeln!(out, "usage: {}", report.await??.status())?;

    // A report that the API refuses.
    match client.save(&server.clone().version("")).await {
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
    there.shutdown()?;

    // Now nobody is there. `#` shows the whole chain of causes on one line.
    if let Err(error) = client.save(&server).await {
        writeln!(out, "gone: {error:#}; try again: {}", error.is_retryable())?;
    }
    Ok(())
}
