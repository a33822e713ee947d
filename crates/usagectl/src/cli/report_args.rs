//! The arguments of `report` and `status`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use usage_reporter::Risk;

use super::api_args::ApiArgs;
use crate::duration;

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Program that prints the usage as JSON, with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,

    /// Product that reports
    #[arg(long, value_name = "PRODUCT")]
    pub(crate) product: String,

    /// Least time from one report to the next, such as 12h or 90s
    #[arg(long, value_name = "TIME", value_parser = duration::period, default_value = "12h")]
    pub(crate) every: Duration,

    /// File that keeps this server's ids and the time of its last report, made if absent
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,

    /// Accept a state that is a link, other-owner or writable-by-others
    #[arg(long, value_name = "RISK")]
    pub(crate) accept_file: Vec<Risk>,

    /// Give up the identity in FILE, once, after a machine was cloned with it
    #[arg(long)]
    pub(crate) new_identity: bool,

    /// Register this server first: its JSON; ids that it leaves out are made and kept
    #[arg(long, value_name = "FILE")]
    pub(crate) server: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) consent: ConsentArgs,

    #[command(flatten)]
    pub(crate) api: ApiArgs,

    /// Stop COMMAND after this time
    #[arg(long, value_name = "TIME", value_parser = duration::command, default_value = "30s")]
    pub(crate) command_timeout: Duration,

    /// Time to collect what is due, and send what waits, when a signal asks to stop
    #[arg(long, value_name = "TIME", value_parser = duration::any, default_value = "5s")]
    pub(crate) flush_timeout: Duration,

    /// Log every attempt
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

impl ReportArgs {
    /// What clap cannot see is wrong with them.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.api.check(self.server.as_slice().iter().collect::<Vec<_>>().as_slice())
    }
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// File that `report --state` keeps
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,

    /// Show the last usage report as it left, less the token, and its answer
    #[arg(long)]
    pub(crate) last: bool,

    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConsentArgs {
    /// Variable that switches this product's reporting on or off
    #[arg(long, value_name = "NAME", value_parser = variable, default_value = "USAGE_REPORTING")]
    pub(crate) consent_variable: String,
}

/// A name that a variable can have.
fn variable(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("the name is empty"),
        _ if text.contains(['=', '\0']) => Err("write the name alone, without its value"),
        name => Ok(name.to_owned()),
    }
}
