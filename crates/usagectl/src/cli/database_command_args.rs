//! The arguments of `database`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::database_args::DatabaseArgs;

#[derive(Debug, Args)]
pub(crate) struct DatabaseCommandArgs {
    #[command(subcommand)]
    pub(crate) command: DatabaseCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseCommand {
    /// Copy what is stored by now into a new file
    Backup {
        /// The new file; it is for its owner alone
        #[arg(value_name = "FILE")]
        to: PathBuf,

        #[command(flatten)]
        database: DatabaseArgs,
    },
}
