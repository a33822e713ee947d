//! A program that has an agent of its own reports with it, to a Usage API that runs inside the
//! example:
//!
//! ```sh
//! cargo run -p usage-ureq --example save_with_agent
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use usage_proto::{Api, Usage, UsageData};
use usage_server::{Config, Database};
use usage_ureq::Client;
use usage_ureq::ureq::middleware::{Middleware, MiddlewareNext};
use usage_ureq::ureq::{self, Agent, Body, SendBody, http};

fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout().lock())
}

/// Does it, and tells about it on `out`.
pub(crate) fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    let token = there.create_token("Example Inc.")?;

    // What the program has anyway, for all that it asks of others. It may also say which proxy to
    // take, whom to trust, and more.
    let count = Arc::new(AtomicUsize::new(0));
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .max_idle_connections_per_host(8)
        .middleware(Counting(Arc::clone(&count)))
        .build()
        .into();
    let health = agent.get(format!("{}/healthz", there.url())).call()?;
    writeln!(out, "health: {}", health.status())?;

    // The same agent, as it is: what a report needs is set for each request.
    let api = Api::new(there.url().parse()?).with_token(token)?;
    let client = Client::with_agent(api, agent.clone());
    let data = UsageData::new().tag("os", std::env::consts::OS).value("num_databases", 3);
    match client.save(&Usage::new("influxdb").data(data)) {
        Ok(saved) => writeln!(out, "usage: {}", saved.status())?,
        // What happened, and why, on one line.
        Err(error) => writeln!(out, "no usage: {error:#}")?,
    }

    writeln!(out, "stored: {} usage report", there.store().usage().read_all()?.len())?;
    writeln!(out, "requests of this program: {}", count.load(Ordering::Relaxed))?;
    there.shutdown()?;
    Ok(())
}

/// Sees every request of the agent.
struct Counting(Arc<AtomicUsize>);

impl Middleware for Counting {
    fn handle(
        &self,
        request: http::Request<SendBody>,
        next: MiddlewareNext,
    ) -> Result<http::Response<Body>, ureq::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        next.handle(request)
    }
}
