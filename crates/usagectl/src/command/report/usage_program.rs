//! The program that prints the usage.

use std::ffi::{OsStr, OsString};
use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::Notify;
use tokio::{select, time};
use usage_proto::Usage;

use super::ids::Ids;
use super::orphans::Orphans;
use super::process_group::{self, ProcessGroup};
use crate::cli::ReportArgs;
use crate::failure::Failure;
use crate::json_file::JsonFile;
use crate::runtime::Runtime;
use crate::token_file;

/// The most that is read of what it prints, in bytes: as much as a report may have.
const OUTPUT: u64 = 1 << 20;

/// When the program has ended, and something that it has left behind holds its output: how long
/// that is waited for.
const REST: Duration = Duration::from_secs(1);

/// Runs a program for its output, again and again.
pub(super) struct UsageProgram {
    product: String,
    command: Vec<OsString>,
    limit: Duration,
    ids: Ids,
    /// This one.
    leader: OsString,
    orphans: Orphans,
    runtime: Runtime,
    stop: Notify,
    stopped: AtomicBool,
}

/// Why there is no usage.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoUsage {
    #[error("`{name}` cannot be run")]
    Start { name: String, source: io::Error },
    #[error("the process that ends `{name}` with this one cannot be run")]
    Group { name: String, source: io::Error },
    #[error("what `{name}` prints cannot be read")]
    Read { name: String, source: io::Error },
    #[error("`{name}` failed: {status}")]
    Failed { name: String, status: ExitStatus },
    #[error("`{name}` did not end within {}, and was stopped", humantime::format_duration(*limit))]
    Late { name: String, limit: Duration },
    #[error("`{name}` printed more than {OUTPUT} bytes, and was stopped")]
    TooMuch { name: String },
    #[error(
        "what `{name}` prints is not a usage report; `{name} … | usagectl preview usage --product \
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
            leader: process_group::this_program().map_err(Failure::server)?,
            orphans: Orphans::adopt().map_err(Failure::server)?,
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
        let output = {
            let _own = self.orphans.spare();
            self.runtime.block_on(self.output())?
        };
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
        let group = ProcessGroup::start(&self.leader)
            .map_err(|source| NoUsage::Group { name: self.name(), source })?;
        let mut child = group.spawn(&mut self.program());
        let outcome = match &mut child {
            Ok(child) => self.read(child).await,
            Err(_) => Ok(Vec::new()),
        };
        group.end(child.as_mut().ok()).await;
        child.map_err(|source| NoUsage::Start { name: self.name(), source }).and(outcome)
    }

    /// What the program prints, once it has ended.
    async fn read(&self, child: &mut Child) -> Result<Vec<u8>, NoUsage> {
        let cannot = |source| NoUsage::Read { name: self.name(), source };
        let mut output = Vec::new();
        {
            let mut whole = pin!(self.read_to_end(child.stdout.take(), &mut output));
            let mut is_whole = false;
            let ended = async {
                select! {
                    status = child.wait() => return status.map_err(cannot),
                    result = &mut whole => result?,
                }
                is_whole = true;
                child.wait().await.map_err(cannot)
            };
            let status = select! {
                status = ended => status?,
                () = time::sleep(self.limit) => {
                    return Err(NoUsage::Late { name: self.name(), limit: self.limit });
                }
                () = self.stop.notified() => return Err(NoUsage::Stopped { name: self.name() }),
            };
            if !status.success() {
                return Err(NoUsage::Failed { name: self.name(), status });
            }
            if !is_whole {
                select! {
                    result = whole => result?,
                    // What came until then counts.
                    () = time::sleep(REST) => {}
                    () = self.stop.notified() => {
                        return Err(NoUsage::Stopped { name: self.name() });
                    }
                }
            }
        }
        Ok(output)
    }

    async fn read_to_end(
        &self,
        stdout: Option<ChildStdout>,
        output: &mut Vec<u8>,
    ) -> Result<(), NoUsage> {
        let Some(stdout) = stdout else { return Ok(()) };
        match stdout.take(OUTPUT + 1).read_to_end(output).await {
            Ok(length) if length as u64 > OUTPUT => Err(NoUsage::TooMuch { name: self.name() }),
            Ok(_) => Ok(()),
            Err(source) => Err(NoUsage::Read { name: self.name(), source }),
        }
    }

    /// It learns who reports, and neither with which token nor by way of which proxy, whose address
    /// may hold a password.
    fn program(&self) -> Command {
        let [program, arguments @ ..] = &*self.command else { return Command::new("") };
        let mut command = Command::new(program);
        let secrets = std::env::vars_os().map(|(name, _)| name).filter(|name| is_secret(name));
        for name in secrets {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("USAGE_CLUSTER_ID", &self.ids.cluster_id)
            .env("USAGE_SERVER_ID", &self.ids.server_id)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }

    fn name(&self) -> String {
        self.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Whether a variable is this command's own affair.
fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    name == token_file::VARIABLE || name.ends_with("_PROXY")
}
