//! A small product that reports its usage: the code to copy into a program of your own.
//!
//! ```sh
//! cargo run --package usage-reporter --example embedded --all-features
//! ```
//!
//! The product is a key-value store called `tinykv`. It asks for consent, keeps its identity in a
//! file, registers its server, reports how many keys it has, and shuts down cleanly: [`Telemetry`]
//! is all of that for a program with threads, [`AsyncTelemetry`] for one on tokio. What they share
//! stands once, in [`prepare`].
//!
//! [`demo`] plays two starts of the product against a `usage-server` on a free loopback port, the
//! first with the one and the second with the other, and shows what the server has stored: two
//! registrations under the same id.

#![expect(clippy::disallowed_methods, reason = "a product has a clock and an environment")]
#![expect(clippy::print_stderr, reason = "a program tells its user what went wrong")]

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use usage_proto::{Api, BaseUrl, Server, Usage, UsageData};
use usage_reporter::{
    Config, Consent, Handle, Host, Identity, LastSent, Reporter, Seed, State, StateFile, blocking,
};

type BoxError = Box<dyn Error + Send + Sync>;

const PRODUCT: &str = "tinykv";
const VERSION: &str = "1.0";
/// Switches reporting on or off for this product alone.
const VARIABLE: &str = "TINYKV_USAGE_REPORTING";

// ── What a product would copy ────────────────────────────────────────────────────────────────────

/// The numbers, as the rest of the program counts them.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) keys: AtomicU64,
}

/// What the driver asks this program for.
struct TinyKv {
    consent: Consent,
    metrics: Arc<Metrics>,
    state: StateFile,
}

impl Host for TinyKv {
    type Usage = Usage;

    fn product(&self) -> &str {
        PRODUCT
    }

    fn consent(&self) -> &Consent {
        &self.consent
    }

    fn collect(&self) -> Result<Usage, BoxError> {
        let numbers = UsageData::new()
            .tag("version", VERSION)
            .tag("os", std::env::consts::OS)
            .tag("arch", std::env::consts::ARCH)
            .value("num_keys", self.metrics.keys.load(Ordering::Relaxed));
        Ok(Usage::new(PRODUCT).data(numbers))
    }

    fn store(&self, state: &State) -> Result<(), BoxError> {
        Ok(self.state.store(state)?)
    }

    fn store_last_sent(&self, sent: &LastSent) -> Result<(), BoxError> {
        Ok(self.state.store_last_sent(sent)?)
    }
}

/// Reporting for a program with threads. It is there or it is not: nothing of it happens where
/// reporting is off, and an error here is no reason for the program not to start.
pub(crate) struct Telemetry {
    reporting: Option<Handle<blocking::Thread>>,
}

impl Telemetry {
    /// `setting` is the line in the product's configuration file, if there is one.
    pub(crate) fn start(
        setting: Option<bool>,
        config: Config,
        api: Api,
        state_file: &Path,
        metrics: Arc<Metrics>,
    ) -> Result<Self, BoxError> {
        let consent = consent(setting);
        if !consent.is_on() {
            return Ok(Self { reporting: None });
        }
        // Made before anything else that may fail: it opens no connection.
        let client = usage_ureq::Client::new(api.clone())?;
        let (reporter, host) = prepare(consent, config, api, state_file, metrics)?;
        let handle = blocking::spawn(reporter, move |request| client.execute(request), host)?;
        Ok(Self { reporting: Some(handle) })
    }

    /// Sends what waits, for two seconds at the most.
    pub(crate) fn stop(self) {
        if let Some(handle) = self.reporting {
            handle.shutdown(Duration::from_secs(2));
        }
    }

    /// Whether there is a driver at all.
    pub(crate) fn handle(&self) -> Option<&Handle<blocking::Thread>> {
        self.reporting.as_ref()
    }
}

/// The same for a program on tokio. It reads a small file when it starts, which is no more than such
/// a program does for its configuration.
pub(crate) struct AsyncTelemetry {
    reporting: Option<Handle<usage_reporter::tokio::Task>>,
}

impl AsyncTelemetry {
    pub(crate) fn start(
        setting: Option<bool>,
        config: Config,
        api: Api,
        state_file: &Path,
        metrics: Arc<Metrics>,
    ) -> Result<Self, BoxError> {
        let consent = consent(setting);
        if !consent.is_on() {
            return Ok(Self { reporting: None });
        }
        let client = usage_reqwest::Client::new(api.clone())?;
        let (reporter, host) = prepare(consent, config, api, state_file, metrics)?;
        let handle =
            usage_reporter::tokio::spawn(reporter, move |request| client.execute(request), host)?;
        Ok(Self { reporting: Some(handle) })
    }

    pub(crate) async fn stop(self) {
        if let Some(handle) = self.reporting {
            handle.shutdown(Duration::from_secs(2)).await;
        }
    }

    pub(crate) fn handle(&self) -> Option<&Handle<usage_reporter::tokio::Task>> {
        self.reporting.as_ref()
    }
}

/// A variable that is no text has a value all the same: who set it wants something.
fn consent(setting: Option<bool>) -> Consent {
    let look_up = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
    Consent::resolve(setting, VARIABLE, look_up)
}

/// What comes before either driver: who this server is, and what it says at its start.
fn prepare(
    consent: Consent,
    config: Config,
    api: Api,
    state_file: &Path,
    metrics: Arc<Metrics>,
) -> Result<(Reporter, TinyKv), BoxError> {
    // A second process with the same data directory is an error here, and so is a file that cannot
    // be read: neither starts as a new server.
    let file = StateFile::open(state_file)?;
    let mut state = file.load()?;
    // A product with clusters has an id for them: `Identity::new(&mut state, cluster_id, …)`.
    let identity = Identity::single_node(&mut state, random()?);
    if state.is_unsaved() {
        // Who could not keep a new identity would be another server at each start.
        file.store(&state)?;
    }

    let now = Instant::now();
    let seed = Seed::from_bytes(random()?);
    let mut reporter = Reporter::new(config, api, state, seed, now, SystemTime::now())?;
    let server = Server::new()
        .cluster_id(&identity.cluster_id)
        .server_id(&identity.server_id)
        .host("localhost")
        .product(PRODUCT)
        .version(VERSION);
    reporter.register(now, &server)?;
    Ok((reporter, TinyKv { consent, metrics, state: file }))
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

// ── The demonstration ────────────────────────────────────────────────────────────────────────────

fn main() -> ExitCode {
    match demo(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With the reasons behind it: `{error}` alone says what failed, and not why.
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Two starts of the product, and what the API has seen of them.
pub(crate) fn demo(out: &mut impl Write) -> Result<(), BoxError> {
    use usage_server::{Config, Database, Server};

    let there = Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    let token = there.create_token("Example Inc.")?;
    // In production: `BaseUrl::PRODUCTION`, unless the configuration names another.
    let api = Api::new(BaseUrl::new(&there.url())?)
        .with_application(&format!("{PRODUCT}/{VERSION}"))?
        .with_token(token)?;
    let directory = tempfile::tempdir()?;
    let state_file = directory.path().join("tinykv/usage.json");
    let metrics = Arc::new(Metrics::default());

    writeln!(out, "the first start, with a thread")?;
    let telemetry =
        Telemetry::start(Some(true), often(), api.clone(), &state_file, Arc::clone(&metrics))?;
    metrics.keys.store(42, Ordering::Relaxed);
    if let Some(handle) = telemetry.handle() {
        wait_until(|| handle.status().delivered >= 2)?;
    }
    telemetry.stop();

    writeln!(out, "the second start, on tokio")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let telemetry =
            AsyncTelemetry::start(Some(true), often(), api, &state_file, Arc::clone(&metrics))?;
        if let Some(handle) = telemetry.handle() {
            let delivered = async {
                while handle.status().delivered < 2 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::time::timeout(PATIENCE, delivered).await?;
        }
        telemetry.stop().await;
        Ok::<(), BoxError>(())
    })?;

    for stored in there.store().servers().read_all()? {
        writeln!(out, "stored: server {}", stored.report.server_id)?;
    }
    for stored in there.store().usage().read_all()? {
        writeln!(out, "stored: usage {}", serde_json::to_string(&stored.report)?)?;
    }
    there.shutdown()?;
    Ok(())
}

/// Nothing of this takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every second instead of every twelve hours.
fn often() -> Config {
    Config::every(Duration::from_secs(1)).start_spread(Duration::ZERO)
}

fn wait_until(condition: impl Fn() -> bool) -> Result<(), BoxError> {
    let begun = Instant::now();
    while !condition() {
        if begun.elapsed() > PATIENCE {
            return Err("nothing was reported".into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
