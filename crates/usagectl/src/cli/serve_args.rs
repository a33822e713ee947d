//! The arguments of `serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use usage_server::{FailRule, Faults, InvalidFault, Retention};

use super::LOCAL;
use super::database_args::DatabaseArgs;
use super::settings_args::Settings;
use crate::duration;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[arg(
        help = format!("Address and port, or unix:PATH; may be given again [default: {LOCAL}]"),
        long,
        value_name = "ADDR",
        value_parser = address
    )]
    pub(crate) listen: Vec<String>,

    /// Address and port, or unix:PATH, for GET /metrics and GET /readyz
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) metrics: Option<String>,

    #[command(flatten)]
    pub(crate) database: DatabaseArgs,

    #[arg(
        help = "How long to keep what: usage=400d,stats=30d,servers=forever [default: forever]",
        long,
        value_name = "TIMES"
    )]
    pub(crate) keep: Option<Retention>,

    /// Make a token for this organisation, unless it has one, and print it this once
    #[arg(long, value_name = "ORGANISATION", value_parser = not_blank)]
    pub(crate) create_token: Option<String>,

    /// Make one more token for an organisation that has one
    #[arg(long, requires = "create_token")]
    pub(crate) another: bool,

    /// File with settings, in TOML, read again at SIGHUP
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// File to append the log to; opened anew at SIGHUP
    #[arg(long, value_name = "FILE", help_heading = "Log")]
    pub(crate) log_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) settings: Settings,

    /// Answer reports with this status and store nothing: the first COUNT ones, or all
    #[arg(long, value_name = "STATUS[:COUNT]", help_heading = "Faults")]
    pub(crate) fail: Option<FailRule>,

    /// Wait before each answer, such as 200ms or 1.5 (seconds)
    #[arg(long, value_name = "TIME", value_parser = duration::any, help_heading = "Faults")]
    pub(crate) delay: Option<Duration>,

    /// Answer reports with 307 and this Location, and store nothing
    #[arg(long, value_name = "URL", value_parser = redirect, help_heading = "Faults")]
    pub(crate) redirect: Option<String>,

    /// Send this Retry-After with failures and redirects
    #[arg(
        long,
        value_name = "SECONDS|DATE",
        value_parser = retry_after,
        help_heading = "Faults",
    )]
    pub(crate) retry_after: Option<String>,
}

/// A name is looked up later; here it is about the form.
fn address(text: &str) -> Result<String, &'static str> {
    if let Some(path) = text.strip_prefix("unix:") {
        return match path {
            _ if cfg!(not(unix)) => Err("there are no such sockets on this system"),
            "" => Err("write a path behind unix:, such as unix:/run/usage/api.sock"),
            _ => Ok(text.to_owned()),
        };
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err("write an address and a port, such as 127.0.0.1:7086 or [::1]:7086"),
    }
}

pub(super) fn not_blank(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("the name is blank"),
        name => Ok(name.to_owned()),
    }
}

fn redirect(text: &str) -> Result<String, InvalidFault> {
    Faults::new().redirect(Some(text)).map(|()| text.to_owned())
}

fn retry_after(text: &str) -> Result<String, InvalidFault> {
    Faults::new().retry_after(Some(text)).map(|()| text.to_owned())
}
