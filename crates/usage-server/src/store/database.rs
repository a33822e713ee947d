use std::path::PathBuf;

use usage_files::{Accept, Risk};

#[cfg(feature = "postgres")]
use super::postgres_address::{InvalidAddress, PostgresAddress};

/// Where a [`Store`](crate::Store) keeps its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database(pub(super) Location);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    File {
        path: PathBuf,
        accept: Accept,
    },
    Temporary,
    #[cfg(feature = "postgres")]
    Postgres(PostgresAddress),
}

impl Database {
    /// A file, created if it is not there. `SQLite` puts two more files beside it while it is open,
    /// whose names end in `-wal` and `-shm`.
    ///
    /// On Unix a file that is created can be read and written by its owner alone (mode 0600), and
    /// so can the two beside it. The mode of a file that is there is left as it is.
    ///
    /// All of them have to be this program's own: regular files and no links, of the user that the
    /// program runs as, and nobody else may write to them. Otherwise whoever puts a file there
    /// first would decide which tokens are known. [`accept`](Self::accept) is for those who know
    /// better.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Location::File { path: path.into(), accept: Accept::NOTHING })
    }

    /// Takes a file all the same, in spite of this risk. It says nothing about a
    /// [temporary](Self::temporary) one.
    ///
    /// ```
    /// use usage_server::{Database, Risk};
    ///
    /// // In a container: the volume belongs to another user.
    /// let database = Database::file("/data/usage.db").accept(Risk::OtherOwner);
    /// ```
    #[must_use]
    pub fn accept(self, risk: Risk) -> Self {
        Self(match self.0 {
            Location::File { path, accept } => Location::File { path, accept: accept.and(risk) },
            Location::Temporary => Location::Temporary,
            #[cfg(feature = "postgres")]
            Location::Postgres(address) => Location::Postgres(address),
        })
    }

    /// A database of `PostgreSQL` 15 or newer, by its address: `postgres://USER:PASSWORD@HOST/DATABASE`.
    /// Any number of servers may share it. Its tables are made if they are not there.
    ///
    /// Over TCP it is spoken to with TLS if it offers that, and `sslmode=require` wants it; the
    /// certificate is checked as this platform does it. `sslmode=disable` is for this machine.
    ///
    /// ```
    /// use usage_server::Database;
    ///
    /// let database = Database::postgres("postgres://usage@db.example/usage?sslmode=require")?
    ///     .password("from a file");
    /// # Ok::<(), usage_server::InvalidAddress>(())
    /// ```
    ///
    /// The user and the password end at the last `@` in front of the first `/` or `?`. What could be
    /// read in two ways is refused: there a password might be taken for a place, and be told.
    ///
    /// # Errors
    ///
    /// [`InvalidAddress`] if the address is not one. It says which part is wrong, and repeats none.
    #[cfg(feature = "postgres")]
    pub fn postgres(address: &str) -> Result<Self, InvalidAddress> {
        PostgresAddress::parse(address).map(Location::Postgres).map(Self)
    }

    /// Whether its address has a password, in whatever place, or one was [given](Self::password) beside
    /// it. A file has none.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn has_password(&self) -> bool {
        matches!(&self.0, Location::Postgres(address) if address.has_password())
    }

    /// The password for a database that wants one. It says nothing about a file.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        Self(match self.0 {
            Location::Postgres(address) => Location::Postgres(address.with_password(password)),
            other => other,
        })
    }

    /// A file in a directory of its own, deleted when the last [`Store`](crate::Store) over it is
    /// gone. It is a file all the same, so that a test sees what production does.
    #[must_use]
    pub fn temporary() -> Self {
        Self(Location::Temporary)
    }
}
