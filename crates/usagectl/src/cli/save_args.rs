//! The arguments of `save` and `preview`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::api_args::ApiArgs;
use crate::duration;

#[derive(Debug, Args)]
pub(crate) struct SaveArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,

    #[command(flatten)]
    pub(crate) deadlines: DeadlineArgs,
}

/// How long a save may take.
#[derive(Debug, Args)]
pub(crate) struct DeadlineArgs {
    /// Give up after this time in all, such as 10 (seconds) or 500ms
    #[arg(long, value_name = "TIME", value_parser = duration::not_zero, default_value = "60s")]
    pub(crate) timeout: Duration,

    /// Give up if there is no connection after this time
    #[arg(long, value_name = "TIME", value_parser = duration::not_zero, default_value = "30s")]
    pub(crate) connect_timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,

    #[arg(help = "Print the token instead of [redacted]", long)]
    pub(crate) show_token: bool,
}

/// What `save` and `preview` have in common: everything that the request depends on.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// What to report
    #[arg(value_enum)]
    pub(crate) kind: Kind,

    /// JSON body of the report, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Product that reports; needed for stats and usage, a server names it in its file
    #[arg(
        long,
        value_name = "PRODUCT",
        required_if_eq_any([("kind", "stats"), ("kind", "usage")]),
    )]
    pub(crate) product: Option<String>,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A server that has started: POST /api/v1/servers
    Server,
    /// Statistics of a product: POST /api/v1/stats/PRODUCT
    Stats,
    /// Anonymous usage: POST /api/v1/usage/PRODUCT
    Usage,
}

impl RequestArgs {
    /// What clap cannot see is wrong with them.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.api.check(&[&self.file])
    }
}
