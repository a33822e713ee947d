//! A program without async: it reports from a thread of its own, and sends what waits before it ends.
//!
//! 14 lines concern reporting; they stand between the marks.
//!
//! `cargo run --package usage-client --example sync_program` runs it against an API in this process.

#![expect(clippy::print_stderr, reason = "a program speaks to its user")]

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
// [reporting
use std::time::Duration;
use usage_client::{Reporting, UsageData};
// reporting]

fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout().lock())
}

/// The program, and what its maker's API has stored in the end.
pub(crate) fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let database = usage_server::Database::temporary();
    let api = usage_server::Server::bind("127.0.0.1:0", usage_server::Config::new(database))?;
    let data = tempfile::tempdir()?;
    program(&api.url(), data.path(), out)?;
    let (servers, usage) = (api.store().servers().read_all()?, api.store().usage().read_all()?);
    writeln!(out, "stored: {} server, {} usage report", servers.len(), usage.len())?;
    writeln!(out, "usage: {}", serde_json::to_string(&usage[0].report)?)?;
    Ok(api.shutdown()?)
}

fn program(usage_url: &str, data: &Path, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let keys = Arc::new(AtomicU64::new(0));
    // [reporting
    let counted = Arc::clone(&keys);
    let reporting = Reporting::new("tinykv", env!("CARGO_PKG_VERSION"))
        .setting(Some(true)) // from the program's own file
        .url(usage_url.parse()?)
        .state_file(data.join("usage.json"))
        .start(move || UsageData::new().value("num_keys", counted.load(Ordering::Relaxed)))
        .inspect_err(|error| eprintln!("no usage reporting: {error:#}"))
        .ok();
    // reporting]
    for key in 1..=3 {
        keys.store(key, Ordering::Relaxed);
        writeln!(out, "stored key {key}")?;
    }
    // [reporting
    if let Some(reporting) = reporting {
        reporting.report_now(); // not in a program that lives for longer
        reporting.stop(Duration::from_secs(5));
    }
    // reporting]
    Ok(())
}
