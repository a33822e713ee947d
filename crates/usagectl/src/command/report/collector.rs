//! The program that prints the usage.

use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::{select, time};
use usage_proto::Usage;
use usage_reporter::Identity;

use crate::failure::Failure;
use crate::json_file::JsonFile;
use crate::runtime::Runtime;
use crate::token;

/// The most that is read of what it prints, in bytes: as much as a report may have.
const OUTPUT: u64 = 1 << 20;

/// Runs a program for its output, again and again.
pub(super) struct Collector {
    command: Vec<OsString>,
    limit: Duration,
    identity: Identity,
    runtime: Runtime,
    stop: Notify,
    stopped: AtomicBool,
}

/// Why there is no output, or none that counts.
#[derive(Debug, thiserror::Error)]
enum NoOutput {
    #[error("`{name}` cannot be run")]
    Start { name: String, source: io::Error },
    #[error("what `{name}` prints cannot be read")]
    Read { name: String, source: io::Error },
    #[error("`{name}` failed: {status}")]
    Failed { name: String, status: ExitStatus },
    #[error("`{name}` did not end within {}, and was stopped", humantime::format_duration(*limit))]
    Late { name: String, limit: Duration },
    #[error("`{name}` printed more than {OUTPUT} bytes, and was stopped")]
    TooMuch { name: String },
    #[error("`{name}` was stopped, since the reporting ends")]
    Stopped { name: String },
}

impl Collector {
    pub(super) fn new(
        command: &[OsString],
        limit: Duration,
        identity: &Identity,
    ) -> Result<Self, Failure> {
        let runtime = Runtime::new().map_err(Failure::server)?;
        let (command, identity) = (command.to_vec(), identity.clone());
        let (stop, stopped) = (Notify::new(), AtomicBool::new(false));
        Ok(Self { command, limit, identity, runtime, stop, stopped })
    }

    /// Runs the program, and reads the usage of `product` in what it prints.
    pub(super) fn collect(&self, product: &str) -> Result<Usage, Failure> {
        let output = self.runtime.block_on(self.output()).map_err(Failure::server)?;
        let mut usage: Usage =
            JsonFile::new(format!("output of {}", self.name()), output).parse()?;
        product.clone_into(&mut usage.product);
        Ok(usage)
    }

    /// Stops the program if it runs. It is not run again.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.stop.notify_one();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    async fn output(&self) -> Result<Vec<u8>, NoOutput> {
        let name = self.name();
        let mut child = self
            .program()
            .spawn()
            .map_err(|source| NoOutput::Start { name: name.clone(), source })?;
        let outcome = select! {
            outcome = read(&mut child, &name) => outcome,
            () = time::sleep(self.limit) => Err(NoOutput::Late { name, limit: self.limit }),
            () = self.stop.notified() => Err(NoOutput::Stopped { name }),
        };
        if outcome.is_err() {
            kill(&mut child).await;
        }
        outcome
    }

    /// A group of its own can be stopped together with all that it has started. It learns who
    /// reports, and not with which token.
    fn program(&self) -> Command {
        let [program, arguments @ ..] = &*self.command else { return Command::new("") };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("USAGE_CLUSTER_ID", &self.identity.cluster_id)
            .env("USAGE_SERVER_ID", &self.identity.server_id)
            .env_remove(token::VARIABLE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    fn name(&self) -> String {
        self.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

async fn read(child: &mut Child, name: &str) -> Result<Vec<u8>, NoOutput> {
    let name = || name.to_owned();
    let cannot = |source| NoOutput::Read { name: name(), source };
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.as_mut() {
        stdout.take(OUTPUT + 1).read_to_end(&mut output).await.map_err(cannot)?;
    }
    if output.len() as u64 > OUTPUT {
        return Err(NoOutput::TooMuch { name: name() });
    }
    let status = child.wait().await.map_err(cannot)?;
    if status.success() { Ok(output) } else { Err(NoOutput::Failed { name: name(), status }) }
}

/// With all that it has started. The process is not reaped before, so that its number is its own.
async fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id().and_then(|id| i32::try_from(id).ok())
        && let Some(group) = rustix::process::Pid::from_raw(group)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill().await;
}
