//! Which database a command is about.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use usage_server::{Database, Risk, Store};

use crate::failure::Failure;

/// The variable that names the database.
const VARIABLE: &str = "USAGE_DATABASE";

/// Where `serve` stores, unless told otherwise.
const DEFAULT: &str = "usage.db";

/// What an address begins with. A file that is called so can be named `./postgres:…`.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The longest password, in bytes, and how long its file may take.
const PASSWORD: (usize, Duration) = (4096, Duration::from_secs(30));

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
        let (name, is_argument) = match (&self.database, std::env::var_os(VARIABLE)) {
            (Some(name), _) => (name.clone(), true),
            (None, Some(name)) if name.is_empty() => {
                return Err(wrong(format!("{VARIABLE} is empty: unset it, or name a database")));
            }
            (None, Some(name)) => (name, false),
            (None, None) => (DEFAULT.into(), false),
        };
        let password_file = self.password_file.as_deref();
        if let Some(address) = address(&name) {
            if is_argument {
                without_password(address)?;
            }
            return postgres(address, password_file);
        }
        Ok(file(&name, &self.accept_file))
    }

    /// Opens a database that is there: to look into one that is not would show an empty one.
    pub(crate) fn open(&self) -> Result<Store, Failure> {
        Store::open_existing(&self.database()?).map_err(Failure::server)
    }
}

/// A database that an argument names.
pub(super) fn named(
    name: &OsStr,
    password_file: Option<&Path>,
    accept: &[Risk],
) -> Result<Database, Failure> {
    match address(name) {
        Some(address) => without_password(address).and_then(|()| postgres(address, password_file)),
        None => Ok(file(name, accept)),
    }
}

/// What is an address, and not the name of a file.
fn address(name: &OsStr) -> Option<&str> {
    name.to_str().filter(|name| SCHEMES.iter().any(|scheme| name.starts_with(scheme)))
}

fn file(name: &OsStr, accept: &[Risk]) -> Database {
    accept.iter().fold(Database::file(PathBuf::from(name)), |file, &risk| file.accept(risk))
}

fn without_password(address: &str) -> Result<(), Failure> {
    if !has_password(address) {
        return Ok(());
    }
    Err(wrong(
        "other users of this machine can read the password in an argument: put it into a file for \
         --password-file, or the whole address into USAGE_DATABASE"
            .to_owned(),
    ))
}

fn postgres(address: &str, password_file: Option<&Path>) -> Result<Database, Failure> {
    let database = Database::postgres(address).map_err(|error| wrong(error.to_string()))?;
    let Some(path) = password_file else { return Ok(database) };
    let (most, wait) = PASSWORD;
    let secret = usage_files::read_secret(path, most, wait)
        .map_err(|error| Failure::unread(error, "the password in ", None))?;
    let text = String::from_utf8(secret.bytes)
        .map_err(|_| wrong(format!("the password in {} is not UTF-8", path.display())))?;
    Ok(database.password(text.trim_end_matches(['\r', '\n'])))
}

/// Whether an address says a password, in front of its host or behind its question mark.
fn has_password(address: &str) -> bool {
    let (_, rest) = address.split_once("//").unwrap_or_default();
    let (place, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let user = place.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || settings.split('&').any(|setting| setting.starts_with("password="))
}

fn wrong(message: String) -> Failure {
    Failure::Build { message, field: Some("database".to_owned()), source: None }
}

#[cfg(test)]
mod tests {
    use super::has_password;

    #[test]
    fn a_password_in_an_address_is_seen() {
        for (address, expected) in [
            ("postgres://user:hidden@host/db", true),
            ("postgres://user:hidden@host:5432/db", true),
            ("postgres:///db?user=u&password=hidden", true),
            ("postgres://user@host:5432/db", false),
            ("postgres://host:5432/db?user=a:b", false),
        ] {
            assert_eq!(has_password(address), expected, "{address}");
        }
    }
}
