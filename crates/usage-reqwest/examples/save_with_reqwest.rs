//! Reports to a Usage API that runs inside the example:
//!
//! ```sh
//! cargo run -p usage-reqwest --example save_with_reqwest
//! ```
#![expect(clippy::print_stdout, reason = "it shows what comes back")]

use std::error::Error;
use std::time::Duration;

use usage_proto::{Api, Deadlines, ResponseErrorKind, Server, Usage, UsageData};
use usage_reqwest::Client;
use usage_server::{Config, Database};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
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
    println!("server: {}", client.save(&server).await?.status());

    // Every 12 hours, in a task of its own: the future borrows nothing.
    let data = UsageData::new().tag("os", std::env::consts::OS).value("num_databases", 3);
    let report = tokio::spawn(client.save(&Usage::new("influxdb").data(data)));
    println!("usage: {}", report.await??.status());

    // A report that the API refuses.
    match client.save(&server.version("")).await {
        Err(usage_proto::Error::Response(refused)) => {
            println!("{refused}");
            if let ResponseErrorKind::Validation(fields) = refused.kind {
                println!("fields: {:?}", fields.errors);
            }
        }
        other => return Err(format!("expected a refusal, got {other:?}").into()),
    }

    let (servers, reports) = (there.store().servers()?.len(), there.store().usage()?.len());
    println!("stored: {servers} server, {reports} usage report");
    there.shutdown()?;
    Ok(())
}
