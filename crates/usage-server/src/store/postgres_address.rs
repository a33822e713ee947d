use std::fmt;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Where a `PostgreSQL` database is, and who asks. The password is in no text of it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PostgresAddress(Box<Config>);

/// This does not say where a `PostgreSQL` database is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not the address of a PostgreSQL database: write postgres://USER@HOST/DATABASE, or \
     postgres:///DATABASE?host=/run/postgresql&user=USER for a socket"
)]
pub struct InvalidAddress;

impl PostgresAddress {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidAddress> {
        // What is wrong is not repeated: it may be the password.
        let config: Config = text.parse().map_err(|_| InvalidAddress)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(InvalidAddress);
        }
        Ok(Self(Box::new(config)))
    }

    pub(super) fn with_password(mut self, password: &str) -> Self {
        self.0.password(password);
        self
    }

    pub(super) fn config(&self) -> &Config {
        &self.0
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        let host = match self.0.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => self.0.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
        };
        let user = self.0.get_user().map(|user| format!("{user}@")).unwrap_or_default();
        let port = self.0.get_ports().first().map(|port| format!(":{port}")).unwrap_or_default();
        let database = self.0.get_dbname().or_else(|| self.0.get_user()).unwrap_or_default();
        format!("postgres://{user}{host}{port}/{database}")
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresAddress").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidAddress, PostgresAddress};

    #[test]
    fn a_password_is_in_no_text() {
        let address = "postgres://user:hidden%21@db.example:6543/usage?sslmode=require";
        let address = PostgresAddress::parse(address).unwrap();
        assert_eq!(address.name(), "postgres://user@db.example:6543/usage");
        assert_eq!(address.config().get_password(), Some(&b"hidden!"[..]));
        let address = address.with_password("another");
        assert_eq!(address.config().get_password(), Some(&b"another"[..]));
        let text = format!("{address:?} {}", address.name());
        assert!(!text.contains("hidden") && !text.contains("another"), "{text}");
        for wrong in ["", "postgres://user:hidden@host:port/", "postgres:///usage", "usage.db"] {
            assert_eq!(PostgresAddress::parse(wrong), Err(InvalidAddress), "{wrong}");
        }
        assert!(!InvalidAddress.to_string().contains("hidden"));
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_a_host() {
        let address = PostgresAddress::parse("postgres:///usage?host=/run/postgresql&user=u");
        assert_eq!(address.unwrap().name(), "postgres://u@/run/postgresql/usage");
    }
}
