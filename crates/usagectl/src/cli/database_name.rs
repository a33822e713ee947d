//! What a database is called: a file, or an address. A name may have a password in it, and so what is
//! neither is not repeated.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use usage_server::{Database, Risk};

use crate::failure::Failure;

/// What begins like this is meant to be an address. A file that is called so can be named
/// `./postgres:…`.
const SCHEMES: [&str; 2] = ["postgres:", "postgresql:"];

/// What the other form of an address begins with, which `PostgreSQL`'s own programs take, too.
const SETTINGS: [&str; 8] =
    ["dbname=", "host=", "hostaddr=", "passfile=", "port=", "service=", "sslmode=", "user="];

/// The longest password, in bytes, and how long its file may take.
const PASSWORD: (usize, Duration) = (4096, Duration::from_secs(30));

/// Where a name stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Other users of the machine can read arguments.
    Option(&'static str),
    Variable(&'static str),
}

/// What a name means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning<'a> {
    File,
    Address(&'a str),
    /// Why it means nothing, in words that follow where it stands.
    Nothing(&'static str),
}

/// The database that is called so.
pub(super) fn named(
    name: &OsStr,
    place: Place,
    password_file: Option<&Path>,
    accept: &[Risk],
) -> Result<Database, Failure> {
    let address = match meaning(name) {
        Meaning::File => {
            let file = Database::file(PathBuf::from(name));
            return Ok(accept.iter().fold(file, |file, &risk| file.accept(risk)));
        }
        Meaning::Address(address) => address,
        Meaning::Nothing(why) => return Err(wrong(place, format!("{place} {why}"))),
    };
    let database =
        Database::postgres(address).map_err(|error| wrong(place, format!("{place}: {error}")))?;
    if matches!(place, Place::Option(_)) && database.has_password() {
        return Err(wrong(
            place,
            format!(
                "other users of this machine can read the password in an argument: put it into a \
                 file for {}, or the whole address into USAGE_DATABASE",
                place.password_file()
            ),
        ));
    }
    let Some(path) = password_file else { return Ok(database) };
    let (most, wait) = PASSWORD;
    let secret = usage_files::read_secret(path, most, wait)
        .map_err(|error| Failure::unread(error, "the password in ", None))?;
    let text = String::from_utf8(secret.bytes)
        .map_err(|_| wrong(place, format!("the password in {} is not UTF-8", path.display())))?;
    Ok(database.password(text.trim_end_matches(['\r', '\n'])))
}

/// A file that is to be made, and cannot be an address.
pub(crate) fn file(name: &Path) -> Result<(), Failure> {
    let place = Place::Option("FILE");
    match meaning(name.as_os_str()) {
        Meaning::File => Ok(()),
        Meaning::Address(_) => {
            Err(wrong(place, "FILE is an address: name a file on this machine".to_owned()))
        }
        Meaning::Nothing(why) => Err(wrong(place, format!("FILE {why}"))),
    }
}

fn meaning(name: &OsStr) -> Meaning<'_> {
    // What is not UTF-8 may be a file; what looks like an address is looked for all the same.
    let lossy = name.to_string_lossy();
    let lower = lossy.trim().to_ascii_lowercase();
    if lower.is_empty() {
        return Meaning::Nothing("is empty: name a database");
    }
    if SCHEMES.iter().any(|scheme| lower.starts_with(scheme)) {
        return name.to_str().map_or(Meaning::Nothing("is not UTF-8"), Meaning::Address);
    }
    if lower.contains("://") {
        return Meaning::Nothing(
            "is not understood: the address of a PostgreSQL database begins with postgres://, and \
             the name of a file has no ://",
        );
    }
    if is_settings(&lower) {
        return Meaning::Nothing(
            "is a list of settings: write them as postgres://USER@HOST/DATABASE?NAME=VALUE",
        );
    }
    Meaning::File
}

/// Whether it is such as `host=… password=…`.
fn is_settings(lower: &str) -> bool {
    let tight = lower.split('=').map(str::trim_end).collect::<Vec<_>>().join("=");
    tight.contains("password=")
        || tight
            .split_whitespace()
            .any(|word| SETTINGS.iter().any(|setting| word.starts_with(setting)))
}

impl Place {
    fn password_file(self) -> &'static str {
        match self {
            Self::Option("--from") => "--from-password-file",
            Self::Option("--to") => "--to-password-file",
            Self::Option(_) | Self::Variable(_) => "--password-file",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Option(option) => option.trim_start_matches('-'),
            Self::Variable(_) => "database",
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Option(name) | Self::Variable(name)) = self;
        f.write_str(name)
    }
}

fn wrong(place: Place, message: String) -> Failure {
    let field = Some(place.field().to_ascii_lowercase());
    Failure::Build { message, field, source: None }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{Meaning, meaning};

    #[test]
    fn what_may_have_a_password_is_not_a_file() {
        for name in [
            "postgres://u:p@h/x",
            " postgres://u:p@h/x",
            "Postgres://u:p@h/x",
            "postgresql:u:p@h/x",
            "POSTGRES:/u:p@h/x",
        ] {
            assert_eq!(meaning(OsStr::new(name)), Meaning::Address(name), "{name}");
        }
        for name in [
            "",
            " ",
            "mysql://u:p@h/x",
            "jdbc:postgresql://h/x?user=u&password=p",
            "'postgres://u:p@h/x'",
            "USAGE_DATABASE=postgres://u:p@h/x",
            "host=h password=p",
            "password = 'p' dbname = x",
            "PASSWORD=p",
            "user=u host=h",
            "x?sslPassword=p",
        ] {
            let found = meaning(OsStr::new(name));
            assert!(matches!(found, Meaning::Nothing(_)), "{name}: {found:?}");
        }
        for name in
            ["usage.db", "./postgres:x", "/srv/a=b/usage.db", "u@h", "C:\\usage.db", "my db"]
        {
            assert_eq!(meaning(OsStr::new(name)), Meaning::File, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf_8_is_looked_at_too() {
        use std::os::unix::ffi::OsStrExt as _;

        for name in [&b"postgres://u:\xff@h/x"[..], b"mysql://u:\xff@h/x"] {
            let found = meaning(OsStr::from_bytes(name));
            assert!(matches!(found, Meaning::Nothing(_)), "{found:?}");
        }
        assert_eq!(meaning(OsStr::from_bytes(b"usage\xff.db")), Meaning::File);
    }
}
