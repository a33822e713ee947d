//! Saves in a process of their own: for an environment, for what is allocated, and for what is left
//! behind.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::slice;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use testkit::outcome::Outcome;
use testkit::samples::{api, usage, words};
use testkit::scripted::PATIENCE;
use testkit::{child, logged};
use tokio::runtime::Runtime;
use usage_proto::{Deadlines, Error, Saved};

use crate::adapter::{Adapter, Client, Threads, runtime};
use crate::case::Difference;
use crate::network::Network;

/// The variable with the task in it.
const TASK: &str = "USAGE_TESTS_TASK";

/// Before the report, so that what a library prints is told from it.
const MARK: &str = "report: ";

/// What a child does: it makes one client, and saves with it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    adapter: usize,
    url: String,
    total: Duration,
    connect: Duration,
    response_limit: usize,
    /// How many threads or tasks there are; `None` is one after the other on one thread.
    at_once: Option<usize>,
    /// How often each of them saves.
    saves: usize,
    /// What must not be found in the log, if one is kept.
    secrets: Vec<String>,
    /// The network that it is in, if it is one of its own.
    network: Option<Network>,
    #[serde(skip)]
    variables: Vec<(String, OsString)>,
}

/// What it tells.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// In the form of `Debug`.
    pub(crate) outcomes: Vec<String>,
    /// Whether rustls has a provider for the whole process.
    pub(crate) has_provider: bool,
    /// What the errors say, with all that is behind them.
    pub(crate) words: Vec<String>,
    /// What was allocated by the saves, in bytes.
    pub(crate) allocated: u64,
    /// What more there was than before, once the client was dropped.
    pub(crate) left: Left,
    /// The client, in the form of `Debug`.
    pub(crate) client: String,
    /// The parts of secrets that were found in the log.
    pub(crate) leaks: Vec<String>,
    /// Whether the adapter's library has written into a log.
    pub(crate) was_logged: bool,
}

/// What may be left behind.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Left {
    /// Tasks, with the runtime still there.
    pub(crate) tasks: usize,
    /// Descriptors and threads, without the runtime.
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
}

impl Report {
    fn no_client(words: &str) -> Self {
        Self {
            outcomes: vec![format!("{:?}", Outcome::NoClient(words.to_owned()))],
            words: vec![words.to_owned()],
            has_provider: false,
            allocated: 0,
            left: Left::default(),
            client: String::new(),
            leaks: Vec::new(),
            was_logged: false,
        }
    }
}

/// # Set
impl Task {
    /// One save.
    pub(crate) fn new(adapter: Adapter, url: impl Into<String>) -> Self {
        let deadlines = Deadlines::new();
        Self {
            adapter: Adapter::ALL.iter().position(|one| *one == adapter).unwrap(),
            url: url.into(),
            total: PATIENCE,
            connect: deadlines.connect,
            response_limit: 64 << 10,
            at_once: None,
            saves: 1,
            secrets: Vec::new(),
            network: None,
            variables: Vec::new(),
        }
    }

    /// One save in a network of its own, to a server that is in there too: `url` has no port.
    pub(crate) fn within_network(adapter: Adapter, network: Network) -> Self {
        Self { network: Some(network), ..Self::new(adapter, network.url()) }
    }

    pub(crate) fn saves(self, saves: usize) -> Self {
        Self { saves, ..self }
    }

    pub(crate) fn at_once(self, at_once: usize) -> Self {
        Self { at_once: Some(at_once), ..self }
    }

    pub(crate) fn within(self, total: Duration) -> Self {
        Self { total, ..self }
    }

    pub(crate) fn connect_within(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// Keeps a log of everything, and looks for these in it.
    pub(crate) fn without_a_trace_of(mut self, secrets: &[&str]) -> Self {
        self.secrets.extend(secrets.iter().map(ToString::to_string));
        self
    }

    /// Adds a variable to its environment.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }
}

/// # Run
impl Task {
    /// Does it in a child process.
    pub(crate) fn run(&self) -> Result<Report, Difference> {
        let mut command = match self.network {
            Some(network) => network.command(),
            None => child::command(),
        };
        command.env(TASK, serde_json::to_string(self).unwrap());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.output().map_err(|error| format!("no child: {error}"))?;
        let told = String::from_utf8_lossy(&output.stdout);
        let report = told.lines().find_map(|line| line.strip_prefix(MARK));
        match report {
            Some(report) if output.status.success() => Ok(serde_json::from_str(report).unwrap()),
            _ => Err(format!("the child failed:\n{}", String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// Does it in a child process, and compares the outcome of every save.
    pub(crate) fn expect(&self, expected: &Outcome) -> Result<Report, Difference> {
        self.expect_one_of(slice::from_ref(expected))
    }

    /// The same where a library's own order decides, which may be another each time.
    pub(crate) fn expect_one_of(&self, expected: &[Outcome]) -> Result<Report, Difference> {
        let report = self.run()?;
        let expected: Vec<_> = expected.iter().map(|outcome| format!("{outcome:?}")).collect();
        match report.outcomes.iter().find(|found| !expected.contains(found)) {
            Some(found) => {
                let expected = expected.join("\n  or        ");
                Err(format!("the outcome\n  is        {found}\n  should be {expected}"))
            }
            None => Ok(report),
        }
    }

    fn here(&self) -> Report {
        if !self.secrets.is_empty() {
            logged::keep();
        }
        // The first runtime of a process opens descriptors that no later one does and nobody closes,
        // where some other crate of the build has turned on tokio's signals.
        drop(runtime(Threads::Caller));
        let before = Open::now();
        let inside = self.network.map(Network::inside);
        let url = match &inside {
            Some(inside) => inside.url(&self.url),
            None => self.url.clone(),
        };
        let threads = if self.at_once.is_some() { Threads::Two } else { Threads::Caller };
        let deadlines = Deadlines::new().total(self.total).connect(self.connect);
        let api = api(&url).with_response_limit(self.response_limit);
        let client = Client::with_api(Adapter::ALL[self.adapter], api, deadlines, threads);
        let client = match client {
            Ok(client) => client,
            Err(error) => return Report::no_client(&words(&*error).join(": ")),
        };
        let mut results = Vec::new();
        // On this thread: nothing is counted on another.
        let counted = allocation_counter::measure(|| results = self.save(&client));
        let shown = format!("{client:?}");
        let left = match self.network {
            // The program ends at once: what is left of a look-up is not waited for.
            Some(_) => {
                drop(client.into_runtime().and_then(Arc::into_inner));
                Left::default()
            }
            None => leave(client, &before),
        };
        Report {
            outcomes: results.iter().map(|result| format!("{:?}", Outcome::of(result))).collect(),
            words: results
                .iter()
                .filter_map(|result| Some(words(result.as_ref().err()?).join(": ")))
                .collect(),
            has_provider: rustls::crypto::CryptoProvider::get_default().is_some(),
            allocated: counted.bytes_total,
            left,
            client: shown,
            leaks: self.secrets.iter().filter_map(|secret| logged::leak(secret)).collect(),
            was_logged: ["ureq", "hyper"].into_iter().any(logged::has),
        }
    }

    fn save(&self, client: &Client) -> Vec<Result<Saved, Error>> {
        match self.at_once {
            Some(at_once) => client.save_at_once(at_once, self.saves),
            None => (0..self.saves).map(|_| client.save(&usage())).collect(),
        }
    }
}

/// If this process is a child: does its task, reports, and says how it ends.
pub(crate) fn serve() -> Option<ExitCode> {
    let task = env::var(TASK).ok()?;
    let task: Task = serde_json::from_str(&task).unwrap();
    let report = serde_json::to_string(&task.here()).unwrap();
    io::stdout().write_all(format!("\n{MARK}{report}\n").as_bytes()).unwrap();
    Some(ExitCode::SUCCESS)
}

/// Drops a client and waits, not for ever, until nothing is left of it.
fn leave(client: Client, before: &Open) -> Left {
    let deadline = Instant::now() + PATIENCE;
    let settle = |left: &dyn Fn() -> usize| {
        while left() > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        left()
    };
    let runtime = client.into_runtime();
    let tasks = runtime.as_deref().map_or(0, |runtime| settle(&|| alive(runtime)));
    // There is no other owner.
    drop(runtime.and_then(Arc::into_inner));
    Left {
        tasks,
        descriptors: settle(&|| Open::now().descriptors.saturating_sub(before.descriptors)),
        threads: settle(&|| Open::now().threads.saturating_sub(before.threads)),
    }
}

/// How many tasks there are; they get a chance to end first.
fn alive(runtime: &Runtime) -> usize {
    runtime.block_on(tokio::task::yield_now());
    runtime.metrics().num_alive_tasks()
}

/// What this process has; nothing, on a system that does not tell.
struct Open {
    descriptors: usize,
    threads: usize,
}

impl Open {
    fn now() -> Self {
        let count = |folder: &str| Path::new(folder).read_dir().map_or(0, Iterator::count);
        Self { descriptors: count("/proc/self/fd"), threads: count("/proc/self/task") }
    }
}
