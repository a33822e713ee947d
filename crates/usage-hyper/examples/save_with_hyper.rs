//! Registers a server and reports its usage, to a Usage API that runs inside the example:
//!
//! ```sh
//! cargo run -p usage-hyper --example save_with_hyper
//! ```
#![expect(clippy::print_stdout, reason = "it shows what comes back")]

use std::error::Error;

use usage_hyper::Client;
use usage_proto::{Api, ResponseErrorKind, Server, Usage, UsageData};
use usage_server::{Config, Database};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    let token = there.create_token("Example Inc.")?;

    // Where the API is, and who reports. An application takes both from its configuration.
    let api = Api::new(there.url().parse()?)
        .with_application(concat!("example/", env!("CARGO_PKG_VERSION")))?
        .with_token(token)?;
    let client = Client::new(api)?;

    // At every start.
    let server = Server::new()
        .cluster_id("cluster-1")
        .server_id("server-1")
        .host("db.example.com")
        .product("influxdb")
        .version("1.8.10");
    let saved = client.save(&server).await?;
    println!("registered: {}", saved.status());

    // Every 12 hours.
    let usage = Usage::new("influxdb")
        .data(UsageData::new().tag("os", std::env::consts::OS).value("num_databases", 3));
    let saved = client.save(&usage).await?;
    println!("reported: {}", saved.status());

    // What a refusal looks like.
    let error = match client.save(&server.host(" ")).await {
        Err(usage_proto::Error::Response(error)) => error,
        other => return Err(format!("expected a refusal, got {other:?}").into()),
    };
    println!("refused: {error:#}");
    if let ResponseErrorKind::Validation(fields) = error.kind {
        println!("because of: {:?}", fields.errors);
    }

    println!(
        "stored: {} server, {} report",
        there.store().servers().read_all()?.len(),
        there.store().usage().read_all()?.len()
    );
    Ok(())
}
