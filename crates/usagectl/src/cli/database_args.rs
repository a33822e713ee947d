//! Which database a command is about.

use std::path::PathBuf;

use clap::Args;
use usage_server::{Database, Risk, Store};

use crate::failure::Failure;

/// The variable that names the database.
const VARIABLE: &str = "USAGE_DATABASE";

/// Where `serve` stores, unless told otherwise.
const DEFAULT: &str = "usage.db";

#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    #[arg(
        help = "SQLite file [default: USAGE_DATABASE, or else usage.db]",
        long,
        value_name = "FILE"
    )]
    database: Option<PathBuf>,

    /// Accept a database that is a link, other-owner or writable-by-others
    #[arg(long, value_name = "RISK")]
    accept_file: Vec<Risk>,
}

impl DatabaseArgs {
    /// The database that is meant.
    pub(crate) fn database(&self) -> Result<Database, Failure> {
        let path = match (&self.database, std::env::var_os(VARIABLE)) {
            (Some(path), _) => path.clone(),
            (None, Some(name)) if name.is_empty() => {
                return Err(Failure::Build {
                    message: format!("{VARIABLE} is empty: unset it, or name a database"),
                    field: Some("database".to_owned()),
                    source: None,
                });
            }
            (None, Some(name)) => name.into(),
            (None, None) => DEFAULT.into(),
        };
        let database = Database::file(path);
        Ok(self.accept_file.iter().fold(database, |file, &risk| file.accept(risk)))
    }

    /// Opens a database that is there: to look into one that is not would show an empty one.
    pub(crate) fn open(&self) -> Result<Store, Failure> {
        Store::open_existing(&self.database()?).map_err(Failure::server)
    }
}
