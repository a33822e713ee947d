//! What the suite runs over.

use std::path::PathBuf;
#[cfg(all(unix, feature = "postgres"))]
use std::sync::Arc;

use tempfile::TempDir;
#[cfg(all(unix, feature = "postgres"))]
use testkit::cluster::Cluster;
use usage_server::{Config, Database, Server, Store};

use crate::Case;
use crate::client::start_with;
#[cfg(all(unix, feature = "postgres"))]
use crate::postgres_cases;

/// A kind of database.
pub(crate) enum Backend {
    File,
    Temporary,
    #[cfg(all(unix, feature = "postgres"))]
    Postgres {
        cluster: Result<Arc<Cluster>, String>,
        pooled: bool,
    },
    #[cfg(not(all(unix, feature = "postgres")))]
    Missing {
        name: &'static str,
        reason: &'static str,
    },
}

/// A database for one case.
pub(crate) struct Target {
    database: Database,
    place: Place,
}

enum Place {
    File {
        _directory: TempDir,
        path: PathBuf,
    },
    /// Each who opens it has another one.
    Temporary,
    #[cfg(all(unix, feature = "postgres"))]
    Postgres {
        cluster: Arc<Cluster>,
        name: String,
    },
}

#[cfg(all(unix, feature = "postgres"))]
pub(crate) fn backends() -> Vec<Backend> {
    let cluster = Cluster::start().map(Arc::new);
    let postgres = |pooled| Backend::Postgres { cluster: cluster.clone(), pooled };
    vec![Backend::File, Backend::Temporary, postgres(false), postgres(true)]
}

#[cfg(not(all(unix, feature = "postgres")))]
pub(crate) fn backends() -> Vec<Backend> {
    let reason = "it is not built in: cargo test --features postgres";
    let missing = |name| Backend::Missing { name, reason };
    vec![Backend::File, Backend::Temporary, missing("postgres"), missing("pgbouncer")]
}

impl Backend {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::File => "sqlite",
            Self::Temporary => "temporary",
            #[cfg(all(unix, feature = "postgres"))]
            Self::Postgres { pooled: false, .. } => "postgres",
            #[cfg(all(unix, feature = "postgres"))]
            Self::Postgres { pooled: true, .. } => "pgbouncer",
            #[cfg(not(all(unix, feature = "postgres")))]
            Self::Missing { name, .. } => name,
        }
    }

    /// What is asked of this one alone.
    pub(crate) fn own_cases(&self) -> &'static [Case] {
        match self {
            #[cfg(all(unix, feature = "postgres"))]
            Self::Postgres { pooled: false, .. } => postgres_cases::ALL,
            _ => &[],
        }
    }

    /// A database with nothing in it, or why there is none.
    pub(crate) fn new_target(&self) -> Result<Target, String> {
        Ok(match self {
            Self::File => {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("usage.db");
                let place = Place::File { _directory: directory, path: path.clone() };
                Target { database: Database::file(path), place }
            }
            Self::Temporary => Target { database: Database::temporary(), place: Place::Temporary },
            #[cfg(all(unix, feature = "postgres"))]
            Self::Postgres { cluster, pooled } => {
                let cluster = cluster.clone()?;
                if *pooled && !cluster.has_pooler() {
                    return Err("pgbouncer is not installed".to_owned());
                }
                let name = cluster.new_database();
                let database = Database::postgres(&cluster.address(&name, *pooled)).unwrap();
                Target { database, place: Place::Postgres { cluster, name } }
            }
            #[cfg(not(all(unix, feature = "postgres")))]
            Self::Missing { reason, .. } => return Err((*reason).to_owned()),
        })
    }
}

impl Target {
    pub(crate) fn config(&self) -> Config {
        Config::new(self.database.clone())
    }

    pub(crate) fn start(&self) -> Server {
        start_with(self.config())
    }

    /// Another handle to the database of a server, as another process would have one.
    pub(crate) fn beside(&self, server: &Server) -> Store {
        Store::open(&self.shared(server)).unwrap()
    }

    /// Another server over the same database.
    pub(crate) fn second(
        &self,
        server: &Server,
        settings: impl FnOnce(Config) -> Config,
    ) -> Server {
        start_with(settings(Config::new(self.shared(server))))
    }

    fn shared(&self, server: &Server) -> Database {
        if matches!(self.place, Place::Temporary) {
            return Database::file(server.store().path());
        }
        self.database.clone()
    }

    /// Changes rows by hand.
    pub(crate) fn sql(&self, server: &Server, statement: &str) {
        match &self.place {
            Place::File { path, .. } => sqlite(path, statement),
            Place::Temporary => sqlite(server.store().path(), statement),
            #[cfg(all(unix, feature = "postgres"))]
            Place::Postgres { cluster, name } => drop(cluster.sql(name, statement)),
        }
    }

    /// Makes reports look as if they had been stored at a time: which, by their `id`, `product` or
    /// `instance`.
    pub(crate) fn date(&self, server: &Server, time: &str, which: &str) {
        let statement = if self.is_sqlite() {
            format!(
                "UPDATE report SET received_at = round(unixepoch('{time}', 'subsec') * 1000)
                 WHERE id IN (SELECT id FROM (
                     SELECT report.id AS id, name AS product, instance
                     FROM report JOIN product ON product.id = product_id) WHERE {which})"
            )
        } else {
            format!("UPDATE report SET received_at = '{time}' WHERE {which}")
        };
        self.sql(server, &statement);
    }

    /// Stores reports that are years old, in front of whatever comes.
    pub(crate) fn fill(&self, server: &Server, count: i64) {
        let numbers = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        );
        if self.is_sqlite() {
            let products = "INSERT OR IGNORE INTO product VALUES (1, 'p0'), (2, 'p1'), (3, 'p2')";
            let rows = "INSERT INTO report (id, received_at, kind, product_id) \
                        SELECT i, unixepoch('2020-01-01') * 1000, 3, i % 3 + 1 FROM n";
            self.sql(server, &format!("{products}; {numbers} {rows}"));
        } else {
            let rows = "INSERT INTO report (id, received_at, kind, product) \
                        SELECT i, '2020-01-01T00:00:00.000Z', 'usage', 'p' || i % 3 FROM n";
            self.sql(server, &format!("{numbers} {rows}"));
            self.sql(server, &format!("UPDATE last_position SET position = {count}"));
        }
    }

    fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::File { .. } | Place::Temporary)
    }

    #[cfg(all(unix, feature = "postgres"))]
    pub(crate) fn postgres(&self) -> (&Cluster, &str) {
        match &self.place {
            Place::Postgres { cluster, name } => (cluster, name),
            _ => panic!("this is a case for PostgreSQL"),
        }
    }
}

fn sqlite(path: &std::path::Path, statement: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(statement).unwrap();
}
