//! The arguments of `summary`.

use std::time::SystemTime;

use clap::Args;

use super::database_args::DatabaseArgs;
use crate::moment;

#[derive(Debug, Args)]
pub(crate) struct SummaryArgs {
    /// Reports since then: a time ago such as 7d, or a day such as 2026-11-01 (UTC)
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = moment::past)]
    pub(crate) since: SystemTime,

    /// Only reports of this product
    #[arg(long, value_name = "PRODUCT")]
    pub(crate) product: Option<String>,

    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}
