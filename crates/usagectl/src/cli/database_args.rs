//! Which database a command is about.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use usage_server::{Database, Risk, Store};

use super::database_name::{Place, named};
use crate::failure::Failure;

/// The variable that names the database.
const VARIABLE: &str = "USAGE_DATABASE";

/// Where `serve` stores, unless told otherwise.
const DEFAULT: &str = "usage.db";

#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    #[arg(
        help = "SQLite file or postgres://USER@HOST/NAME [default: USAGE_DATABASE, or usage.db]",
        long,
        value_name = "DATABASE"
    )]
    database: Option<OsString>,

    #[arg(help = "File with the password for a PostgreSQL database", long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Accept a database that is a link, other-owner or writable-by-others
    #[arg(long, value_name = "RISK")]
    accept_file: Vec<Risk>,
}

impl DatabaseArgs {
    /// The database that is meant.
    pub(crate) fn database(&self) -> Result<Database, Failure> {
        let (name, place) = match (&self.database, std::env::var_os(VARIABLE)) {
            (Some(name), _) => (name.clone(), Place::Option("--database")),
            (None, Some(name)) => (name, Place::Variable(VARIABLE)),
            (None, None) => return Ok(self.accepted(Database::file(DEFAULT))),
        };
        named(&name, place, self.password_file.as_deref(), &self.accept_file)
    }

    /// Opens a database that is there: to look into one that is not would show an empty one.
    pub(crate) fn open(&self) -> Result<Store, Failure> {
        Store::open_existing(&self.database()?).map_err(Failure::server)
    }

    fn accepted(&self, file: Database) -> Database {
        self.accept_file.iter().fold(file, |file, &risk| file.accept(risk))
    }
}
