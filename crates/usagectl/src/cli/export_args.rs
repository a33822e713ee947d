//! The arguments of `export`.

use std::time::SystemTime;

use clap::{Args, ValueEnum};
use usage_server::{InvalidKind, Kind, Selection};

use super::database_args::DatabaseArgs;
use crate::moment;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// How to write a report
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Go on behind this position: the last one of the export before
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: i64,

    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values, RFC 4180
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct SelectionArgs {
    /// Only reports of this kind: server, stats or usage
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,

    /// Only reports of this product
    #[arg(long, value_name = "PRODUCT")]
    product: Option<String>,

    /// Only reports since then: a time ago such as 7d, or a day such as 2026-11-01 (UTC)
    #[arg(long, value_name = "TIME", value_parser = moment::past)]
    since: Option<SystemTime>,
}

impl ExportArgs {
    pub(crate) fn selection(&self) -> Selection {
        let SelectionArgs { kind, product, since } = &self.selection;
        let selection = Selection::new().after(self.after);
        let selection = kind.iter().fold(selection, |all, kind| all.kind(*kind));
        let selection = product.iter().fold(selection, Selection::product);
        since.iter().fold(selection, |all, since| all.since(*since))
    }
}

fn kind(text: &str) -> Result<Kind, InvalidKind> {
    text.parse()
}
