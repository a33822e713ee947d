//! An axum server with a graceful shutdown: it reports from a task, shows in its own interface how that
//! goes, and sends what waits once the last request is answered.
//!
//! 16 lines concern reporting; they stand between the marks.
//!
//! `cargo run --package usage-client --features reqwest --example axum_server` runs it against an API
//! in this process, asks it once, and shuts it down.

#![expect(clippy::print_stderr, reason = "a program speaks to its user")]

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
// [reporting
use std::time::Duration;
use usage_client::{Reporting, UsageData};
// reporting]

fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout().lock())
}

/// The server, one request to it, and what its maker's API has stored in the end.
pub(crate) fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let database = usage_server::Database::temporary();
    let api = usage_server::Server::bind("127.0.0.1:0", usage_server::Config::new(database))?;
    let data = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let url = api.url();
        let serving = serve(listener, &url, data.path(), async { drop(stopped.await) });
        let asking = async {
            let mut client = TcpStream::connect(address).await?;
            client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
            let mut answer = String::new();
            client.read_to_string(&mut answer).await?;
            drop(stop);
            Ok(answer)
        };
        let (served, answer) = tokio::join!(serving, asking);
        served?;
        let answer: Result<String, io::Error> = answer;
        writeln!(out, "answer: {}", answer?.lines().last().unwrap_or_default())?;
        Ok::<_, Box<dyn Error>>(())
    })?;
    let (servers, usage) = (api.store().servers().read_all()?, api.store().usage().read_all()?);
    writeln!(out, "stored: {} server, {} usage report", servers.len(), usage.len())?;
    Ok(api.shutdown()?)
}

async fn serve(
    listener: TcpListener,
    usage_url: &str,
    data: &Path,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let requests = Arc::new(AtomicU64::new(0));
    // [reporting
    let counted = Arc::clone(&requests);
    let reporting = Reporting::new("tinyweb", env!("CARGO_PKG_VERSION"))
        .setting(Some(true)) // from the server's own file
        .url(usage_url.parse()?)
        .state_file(data.join("usage.json"))
        .start_on_tokio(move || UsageData::new().value("requests", counted.load(Ordering::Relaxed)))
        .inspect_err(|error| eprintln!("no usage reporting: {error:#}"))
        .ok()
        .map(Arc::new);
    let shown = reporting.clone();
    // reporting]
    let hello = move || async move {
        let count = requests.fetch_add(1, Ordering::Relaxed) + 1;
        let consent = shown.as_ref().map(|reporting| reporting.status().consent);
        format!("request {count}; {}", consent.unwrap_or_default())
    };
    let app = Router::new().route("/", get(hello));
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await?;
    // [reporting
    if let Some(reporting) = reporting {
        reporting.report_now(); // not in a server that lives for longer
        reporting.stop(Duration::from_secs(5)).await;
    }
    // reporting]
    Ok(())
}
