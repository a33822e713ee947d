//! The arguments of `serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use usage_server::{FailRule, Faults, InvalidFault, InvalidOrigin, Redirects, Retention};

use super::LOCAL;
use super::database_args::DatabaseArgs;
use crate::duration;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on; with port 0 a free one is chosen
    #[arg(long, value_name = "ADDR", default_value = LOCAL, value_parser = address)]
    pub(crate) listen: String,

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

    /// Who may register at the page /start: anybody, who has an invite code, or nobody
    #[arg(long, value_enum, default_value_t, value_name = "WHO", help_heading = "Registration")]
    pub(crate) registration: Who,

    /// File with the invite codes, one a line
    #[arg(
        long,
        value_name = "FILE",
        required_if_eq("registration", "invite"),
        help_heading = "Registration"
    )]
    pub(crate) invite_file: Option<PathBuf>,

    /// Origin that a browser may be sent back to, beside this machine; may be given again
    #[arg(long, value_name = "ORIGIN", value_parser = origin, help_heading = "Registration")]
    pub(crate) allow_redirect: Vec<String>,

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

/// Who may register.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Who {
    /// Nobody: tokens are made with --create-token
    #[default]
    Closed,
    /// Whoever has one of the codes in --invite-file
    Invite,
    /// Anybody who reaches the page
    Open,
}

fn origin(text: &str) -> Result<String, InvalidOrigin> {
    Redirects::new().allow(text).map(|_| text.to_owned())
}

/// A name is looked up later; here it is about the form.
fn address(text: &str) -> Result<String, &'static str> {
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
