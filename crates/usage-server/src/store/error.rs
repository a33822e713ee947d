use std::error::Error;
use std::fmt::{self, Formatter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use usage_files::FileError;
use usage_proto::Chain;

type Source = Arc<dyn Error + Send + Sync>;

/// What went wrong with the database.
///
/// The sources are behind an [`Arc`] because one failed transaction is told to every request that
/// was in it. A source has no source of its own: it says in one piece what the database or the
/// operating system said.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file can not be opened or created.
    #[error(fmt = not_opened)]
    #[non_exhaustive]
    Open {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` said.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A database that other machines have cannot be opened: it does not answer, or refuses the user.
    #[error(fmt = not_connected)]
    #[non_exhaustive]
    Connect {
        /// Its address, without a password.
        database: String,
        /// What was heard of it.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The file is a link, a pipe or the like, or it belongs to others.
    #[error(transparent)]
    File(Arc<FileError>),
    /// The file has another name now, or none, or its name belongs to another file: what is written
    /// to it would be lost.
    #[error(
        "{} was removed or replaced while the database is open: put it back, or restart the program",
        path.display()
    )]
    #[non_exhaustive]
    Gone {
        /// The file: the database, or one that `SQLite` keeps beside it.
        path: PathBuf,
    },
    /// The file is there and is no database.
    #[error("{} is not an SQLite database: name another file, or a new one", path.display())]
    #[non_exhaustive]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is another program's database.
    #[error("{} is a database of another program: name another file, or a new one", path.display())]
    #[non_exhaustive]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// The database has other tables, triggers and the like than this crate makes.
    #[error(
        "the database {} {found}: somebody has changed it, so restore it, or name another file",
        path.display()
    )]
    #[non_exhaustive]
    Altered {
        /// The database file.
        path: PathBuf,
        /// What was found, in words that follow the path.
        found: String,
    },
    /// A newer version of this crate wrote the database.
    #[error(
        "the database {} has schema version {found}, and this program knows versions up to \
         {supported}: run a newer version of the program",
        path.display()
    )]
    #[non_exhaustive]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The version of the schema in the file.
        found: i64,
        /// The newest version that this crate knows.
        supported: i64,
    },
    /// There is no place for a temporary database.
    #[error(fmt = not_temporary)]
    #[non_exhaustive]
    Temporary {
        /// What the operating system said.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A transaction failed, and nothing of it was stored.
    #[error(fmt = not_written)]
    #[non_exhaustive]
    Write {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` said.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A query failed.
    #[error(fmt = not_read)]
    #[non_exhaustive]
    Read {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` or the JSON reader said.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// As many writes wait as may wait.
    #[error("{capacity} writes are waiting for the database already: try again in a few seconds")]
    #[non_exhaustive]
    Busy {
        /// How many may wait.
        capacity: usize,
    },
    /// The thread that writes has ended.
    #[error("the database is closed")]
    Closed,
    /// A token needs to belong to someone.
    #[error("the name of the organisation is blank: a token needs one")]
    BlankOrganisation,
    /// A name that stands in an index has an end.
    #[error("the name of the organisation is longer than {most} characters: shorten it")]
    #[non_exhaustive]
    LongOrganisation {
        /// How many characters it may have.
        most: usize,
    },
    /// There is no such token.
    #[error("there is no token with the id {id}: a list of the tokens shows those that there are")]
    #[non_exhaustive]
    NoToken {
        /// The id that was asked for.
        id: i64,
    },
    /// A token that has ended has no successor.
    #[error("the token with the id {id} has ended: make a new one instead")]
    #[non_exhaustive]
    Ended {
        /// The id that was asked for.
        id: i64,
    },
    /// There is no token of such an organisation.
    #[error("there is no organisation {organisation:?}: its name is written as it was given")]
    #[non_exhaustive]
    NoOrganisation {
        /// The name that was asked for.
        organisation: String,
    },
    /// Nothing is named that is to be erased.
    #[error("what is to be erased is blank: an id or an organisation has a name")]
    BlankErasure,
    /// A database that other machines have does not answer. Whoever comes again may find it there.
    #[error(fmt = not_reached)]
    #[non_exhaustive]
    Unreachable {
        /// Its address, without a password.
        database: String,
        /// What was heard of it.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// Such a database is copied by other means.
    #[error("the database {database} is copied with PostgreSQL's own pg_dump")]
    #[non_exhaustive]
    NoBackup {
        /// Its address, without a password.
        database: String,
    },
    /// What is moved is moved into a database that has nothing of others.
    #[error(
        "the database {} has tokens or reports that are not from there: name a new one",
        path.display()
    )]
    #[non_exhaustive]
    NotEmpty {
        /// The database that was to take what is moved.
        path: PathBuf,
    },
    /// Not all is there, or more.
    #[error(
        "there are {found} reports where there should be {expected}: stop what writes to either \
         database, and move again"
    )]
    #[non_exhaustive]
    Miscounted {
        /// How many reports are in the database that is moved.
        expected: u64,
        /// How many there are in the other one.
        found: u64,
    },
    /// A copy is a new file.
    #[error("{} is there already: name a new file for the copy", path.display())]
    #[non_exhaustive]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is no such database, and none was to be made.
    #[error("there is no database {}: name the one that the server stores in", path.display())]
    #[non_exhaustive]
    Missing {
        /// The database file.
        path: PathBuf,
    },
    /// The operating system gave no random bytes for a token.
    #[error(fmt = not_random)]
    #[non_exhaustive]
    Random {
        /// What the operating system said.
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether the whole database is away, and not only something in it.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Unreachable { .. })
    }
}

fn not_opened(path: &Path, source: &Source, f: &mut Formatter<'_>) -> fmt::Result {
    let path = path.display();
    let message = format_args!(
        "cannot open the database {path}: check that its directory exists and can be written to"
    );
    Chain::message(f, message, &**source)
}

fn not_connected(database: &str, source: &Source, f: &mut Formatter<'_>) -> fmt::Result {
    let message = format_args!(
        "cannot open the PostgreSQL database {database}: check that it runs, that this is its \
         address, and that the user may log in and make tables there"
    );
    Chain::message(f, message, &**source)
}

fn not_temporary(source: &Source, f: &mut Formatter<'_>) -> fmt::Result {
    let message = format_args!(
        "cannot create a directory for a temporary database: set TMPDIR to one with room"
    );
    Chain::message(f, message, &**source)
}

fn not_written(path: &Path, source: &Source, f: &mut Formatter<'_>) -> fmt::Result {
    let path = path.display();
    let message = format_args!("cannot write to the database {path}: nothing was stored");
    Chain::message(f, message, &**source)
}

fn not_read(path: &Path, source: &Source, f: &mut Formatter<'_>) -> fmt::Result {
    Chain::message(f, format_args!("cannot read from the database {}", path.display()), &**source)
}

fn not_reached(database: &str, source: &Source, f: &mut Formatter<'_>) -> fmt::Result {
    Chain::message(f, format_args!("the database {database} cannot be reached"), &**source)
}

fn not_random(source: &Source, f: &mut Formatter<'_>) -> fmt::Result {
    let message = format_args!("cannot make a token: the operating system gave no random bytes");
    Chain::message(f, message, &**source)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::StoreError;

    #[test]
    fn the_alternate_form_says_why() {
        let source = || Arc::new(io::Error::other("because of it"));
        for error in [
            StoreError::Open { path: "usage.db".into(), source: source() },
            StoreError::Connect { database: "there".to_owned(), source: source() },
            StoreError::Temporary { source: source() },
            StoreError::Write { path: "usage.db".into(), source: source() },
            StoreError::Read { path: "usage.db".into(), source: source() },
            StoreError::Unreachable { database: "there".to_owned(), source: source() },
            StoreError::Random { source: source() },
        ] {
            assert!(!error.to_string().contains("because"), "{error}");
            assert_eq!(format!("{error:#}"), format!("{error}: because of it"));
        }
    }
}
