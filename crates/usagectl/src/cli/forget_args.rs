//! The arguments of `forget`.

use std::path::PathBuf;

use clap::Args;
use usage_reporter::Risk;

use super::api_args::ApiArgs;
use super::save_args::DeadlineArgs;

#[derive(Debug, Args)]
pub(crate) struct ForgetArgs {
    /// Product that has reported
    #[arg(long, value_name = "PRODUCT")]
    pub(crate) product: String,

    /// File that `report --state` keeps
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,

    /// Accept a state that is a link, other-owner or writable-by-others
    #[arg(long, value_name = "RISK")]
    pub(crate) accept_file: Vec<Risk>,

    /// The JSON that `report --server` had: ids in it count before those in the state
    #[arg(long, value_name = "FILE")]
    pub(crate) server: Option<PathBuf>,

    /// Only go on with what was asked for before, if it is time to
    #[arg(long)]
    pub(crate) retry: bool,

    /// Print what would be sent, without the token, and do nothing
    #[arg(long, conflicts_with = "retry")]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) api: ApiArgs,

    #[command(flatten)]
    pub(crate) deadlines: DeadlineArgs,
}

impl ForgetArgs {
    /// What clap cannot see is wrong with them.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.api.check(self.server.as_slice().iter().collect::<Vec<_>>().as_slice())
    }
}
