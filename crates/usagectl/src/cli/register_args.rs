//! The arguments of `register`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::duration;

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// Cluster that the customer registers
    #[arg(long, value_name = "ID")]
    pub(crate) cluster_id: String,

    /// Product that the customer registers
    #[arg(long, value_name = "PRODUCT")]
    pub(crate) product: String,

    /// File to keep the token in, for its owner alone; it is printed otherwise
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// Open the address in a browser
    #[arg(long)]
    pub(crate) open: bool,

    /// Port of 127.0.0.1 that the browser comes back to, for `ssh -L`; 0 is any
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) callback_port: u16,

    /// How long to wait for the customer
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration::not_zero)]
    pub(crate) wait: Duration,

    /// Print the address, alone on one line, and wait for nothing
    #[arg(long, conflicts_with_all = ["token_file", "open", "callback_port", "wait"])]
    pub(crate) print: bool,

    /// With --print: where the browser goes afterwards, with the token in its query
    #[arg(long, value_name = "URL", requires = "print")]
    pub(crate) redirect_url: Option<String>,

    #[arg(
        help = "Address of the API [default: USAGE_URL, or else https://usage.influxdata.com]",
        long,
        value_name = "URL"
    )]
    pub(crate) url: Option<String>,
}
