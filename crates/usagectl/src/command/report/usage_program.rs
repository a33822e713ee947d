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

use super::ids::Ids;
use crate::cli::ReportArgs;
use crate::failure::Failure;
use crate::json_file::JsonFile;
use crate::runtime::Runtime;
use crate::token_file;

/// The most that is read of what it prints, in bytes: as much as a report may have.
const OUTPUT: u64 = 1 << 20;

/// Runs a program for its output, again and again.
pub(super) struct UsageProgram {
    product: String,
    command: Vec<OsString>,
    limit: Duration,
    ids: Ids,
    runtime: Runtime,
    stop: Notify,
    stopped: AtomicBool,
}

/// Why there is no usage.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoUsage {
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
    #[error(
        "what `{name}` prints is no usage report; `{name} … | usagectl preview usage --product \
         {product} -` shows where"
    )]
    Unreadable { name: String, product: String, source: Failure },
    #[error("`{name}` was stopped, since the reporting ends")]
    Stopped { name: String },
}

impl UsageProgram {
    pub(super) fn new(args: &ReportArgs, ids: Ids) -> Result<Self, Failure> {
        Ok(Self {
            product: args.product.clone(),
            command: args.command.clone(),
            limit: args.command_timeout,
            ids,
            runtime: Runtime::new().map_err(Failure::server)?,
            stop: Notify::new(),
            stopped: AtomicBool::new(false),
        })
    }

    pub(super) fn product(&self) -> &str {
        &self.product
    }

    /// Runs the program, and reads the usage of the product in what it prints.
    pub(super) fn collect(&self) -> Result<Usage, NoUsage> {
        let name = self.name();
        if self.stopped.load(Ordering::Relaxed) {
            return Err(NoUsage::Stopped { name });
        }
        let output = self.runtime.block_on(self.output())?;
        match JsonFile::new(format!("output of {name}"), output).parse::<Usage>() {
            Ok(mut usage) => {
                self.product.clone_into(&mut usage.product);
                Ok(usage)
            }
            Err(source) => Err(NoUsage::Unreadable { name, product: self.product.clone(), source }),
        }
    }

    /// Stops the program if it runs. It is not run again.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.stop.notify_one();
    }

    async fn output(&self) -> Result<Vec<u8>, NoUsage> {
        let name = self.name();
        let mut child = self
            .program()
            .spawn()
            .map_err(|source| NoUsage::Start { name: name.clone(), source })?;
        let outcome = select! {
            outcome = read(&mut child, &name) => outcome,
            () = time::sleep(self.limit) => Err(NoUsage::Late { name, limit: self.limit }),
            () = self.stop.notified() => Err(NoUsage::Stopped { name }),
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
            .env("USAGE_CLUSTER_ID", &self.ids.cluster_id)
            .env("USAGE_SERVER_ID", &self.ids.server_id)
            .env_remove(token_file::VARIABLE)
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

async fn read(child: &mut Child, name: &str) -> Result<Vec<u8>, NoUsage> {
    let name = || name.to_owned();
    let cannot = |source| NoUsage::Read { name: name(), source };
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.as_mut() {
        stdout.take(OUTPUT + 1).read_to_end(&mut output).await.map_err(cannot)?;
    }
    if output.len() as u64 > OUTPUT {
        return Err(NoUsage::TooMuch { name: name() });
    }
    let status = child.wait().await.map_err(cannot)?;
    if status.success() { Ok(output) } else { Err(NoUsage::Failed { name: name(), status }) }
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
