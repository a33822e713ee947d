//! The arguments of `database`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use usage_server::{Database, Risk};

use super::database_args::DatabaseArgs;
use super::database_name::{Place, named};
use crate::failure::Failure;

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
    #[command(about = "Copy everything into another database, as from SQLite to PostgreSQL")]
    Move(MoveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    /// The database that is there: a file, or an address as for serve
    #[arg(long, value_name = "DATABASE")]
    from: OsString,

    /// The one that takes it, and is made if it is not there
    #[arg(long, value_name = "DATABASE")]
    to: OsString,

    /// File with the password for the one that is there
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,

    /// File with the password for the one that takes it
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,

    /// Accept files that are links, other-owner or writable-by-others
    #[arg(long, value_name = "RISK")]
    accept_file: Vec<Risk>,
}

impl MoveArgs {
    pub(crate) fn from(&self) -> Result<Database, Failure> {
        let place = Place::Option("--from");
        named(&self.from, place, self.from_password_file.as_deref(), &self.accept_file)
    }

    pub(crate) fn to(&self) -> Result<Database, Failure> {
        let place = Place::Option("--to");
        named(&self.to, place, self.to_password_file.as_deref(), &self.accept_file)
    }
}
