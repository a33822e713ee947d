//! The arguments of `erase`.

use std::time::SystemTime;

use clap::Args;
use usage_server::Erasure;

use super::database_args::DatabaseArgs;
use super::serve_args::not_blank;
use crate::moment;

#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    what: What,

    /// Count what would be erased, and erase nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// What is about the instance with this id; may be given again
    #[arg(long, value_name = "ID", value_parser = not_blank)]
    instance: Vec<String>,

    /// The reports and tokens of an organisation, and who registered it
    #[arg(long, value_name = "NAME", value_parser = not_blank)]
    organisation: Option<String>,

    /// What is older: than a time such as 400d, or than a day such as 2026-11-01 (UTC)
    #[arg(long, value_name = "TIME", value_parser = moment::past)]
    before: Option<SystemTime>,
}

impl EraseArgs {
    pub(crate) fn erasures(&self) -> Vec<Erasure> {
        let What { instance, organisation, before } = &self.what;
        let mut all: Vec<_> = instance.iter().cloned().map(Erasure::Instance).collect();
        all.extend(organisation.iter().cloned().map(Erasure::Organisation));
        all.extend(before.iter().copied().map(Erasure::Before));
        all
    }
}
