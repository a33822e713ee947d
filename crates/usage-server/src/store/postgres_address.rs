use std::error::Error as _;
use std::fmt;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// What an address begins with, in any case.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// What a setting may be, as far as it is understood here.
const SETTINGS: [(&str, &str); 14] = [
    ("channel_binding", "it is disable, prefer or require"),
    ("connect_timeout", "it is a number of seconds"),
    ("host", "it is a name, an address or the directory of a socket, and IPv6 is in [ ]"),
    ("hostaddr", "it is an IP address"),
    ("keepalives", "it is 0 or 1"),
    ("keepalives_idle", "it is a number of seconds"),
    ("keepalives_interval", "it is a number of seconds"),
    ("keepalives_retries", "it is a number"),
    ("load_balance_hosts", "it is disable or random"),
    ("port", "it is a number up to 65535"),
    ("sslmode", "it is disable, prefer or require, and a certificate is always checked"),
    ("sslnegotiation", "it is postgres or direct"),
    ("target_session_attrs", "it is any, read-write or read-only"),
    ("tcp_user_timeout", "it is a number of seconds"),
];

/// Settings that `PostgreSQL`'s own programs know, and nobody here.
const UNKNOWN: [&str; 13] = [
    "client_encoding",
    "fallback_application_name",
    "gssencmode",
    "krbsrvname",
    "passfile",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "requirepeer",
];

/// Where a `PostgreSQL` database is, and who asks. The password is in no text of it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PostgresAddress(Box<Config>);

/// This does not say where a `PostgreSQL` database is. Nothing of it is repeated: there may be a
/// password in any part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// It is something else.
    #[error(
        "this is not the address of a PostgreSQL database: write postgres://USER@HOST/DATABASE, or \
         postgres:///DATABASE?host=/run/postgresql&user=USER for a socket"
    )]
    Form,
    /// It does not say on which machine.
    #[error(
        "the address of the PostgreSQL database has no host: write postgres://USER@HOST/DATABASE, or \
         postgres:///DATABASE?host=/run/postgresql&user=USER for a socket"
    )]
    NoHost,
    /// A character has another meaning where it stands.
    #[error(
        "the address of the PostgreSQL database cannot be taken apart: write %40 for @, %2F for /, \
         %3F for ?, %26 for &, %3D for = and %20 for a space in a name or a password"
    )]
    Ambiguous,
    /// A setting behind the question mark, or a part that is one, has no meaning.
    #[error("{name} is wrong in the address of the PostgreSQL database: {rule}")]
    #[non_exhaustive]
    Setting {
        /// What it is called.
        name: &'static str,
        /// What it may be.
        rule: &'static str,
    },
    /// What is behind the question mark is not known, or not a list of settings.
    #[error("{} in the address of the PostgreSQL database is not known", match .name {
        Some(name) => name,
        None => "a setting behind the question mark",
    })]
    #[non_exhaustive]
    UnknownSetting {
        /// What it is called, if it is one that `PostgreSQL`'s own programs know.
        name: Option<&'static str>,
    },
}

impl PostgresAddress {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let rest = without_scheme(text.trim()).ok_or(InvalidAddress::Form)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let path = behind.split('?').next().unwrap_or_default();
        let name = user.map_or("", |user| user.split(':').next().unwrap_or_default());
        // Otherwise a part of a password would be taken for a place, and told.
        let is_odd = |text: &str| text.contains(|c: char| c.is_whitespace() || "&=".contains(c));
        if behind.contains('@') || [name, hosts, path].into_iter().any(is_odd) {
            return Err(InvalidAddress::Ambiguous);
        }
        // The library ends the password at the first @ of all.
        let user = user.map(|user| format!("{}@", user.replace('@', "%40"))).unwrap_or_default();
        let config: Config = format!("postgres://{user}{hosts}{behind}")
            .parse()
            .map_err(|error: tokio_postgres::Error| wrong(&error))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(InvalidAddress::NoHost);
        }
        Ok(Self(Box::new(config)))
    }

    pub(super) fn with_password(mut self, password: &str) -> Self {
        self.0.password(password);
        self
    }

    pub(super) fn has_password(&self) -> bool {
        self.0.get_password().is_some()
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
        // Somebody may have written a colon with a password behind it as %3A.
        let user = self.0.get_user().and_then(|user| user.split(':').next());
        let database = self.0.get_dbname().or(user).unwrap_or_default();
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let port = self.0.get_ports().first().map(|port| format!(":{port}")).unwrap_or_default();
        format!("postgres://{user}{host}{port}/{database}")
    }
}

fn without_scheme(text: &str) -> Option<&str> {
    SCHEMES.into_iter().find_map(|scheme| {
        let (found, rest) = text.split_at_checked(scheme.len())?;
        found.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Which part it was. Of what the library says, names that are known here alone are repeated.
fn wrong(error: &tokio_postgres::Error) -> InvalidAddress {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let is_meant = |name: &str| said.ends_with(&format!(" option `{name}`"));
    if let Some((name, rule)) = SETTINGS.into_iter().find(|(name, _)| is_meant(name)) {
        return InvalidAddress::Setting { name, rule };
    }
    if said.starts_with("unknown option") || said == "unterminated parameter" {
        let name = UNKNOWN.into_iter().find(|name| is_meant(name));
        return InvalidAddress::UnknownSetting { name };
    }
    InvalidAddress::Form
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresAddress").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidAddress, PostgresAddress, SETTINGS, UNKNOWN};

    fn name(address: &str) -> String {
        PostgresAddress::parse(address).unwrap().name()
    }

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
    }

    /// Wherever a password ends up, what is understood does not tell it, and what is not understood is
    /// not repeated.
    #[test]
    fn a_password_that_is_not_escaped_is_in_no_text() {
        let word = "hunter2";
        for address in [
            "postgres://u:hun@hunter2@h:5/x",
            "postgres://u:@@hunter2@@h/x",
            "postgres://u@d:hunter2@h/x",
            "postgres://u:hunter2@",
            "postgres://u:hunter2",
            "postgres://u:hunter2/x",
            "postgres://u:a/hunter2@h/x",
            "postgres://u:a?hunter2@h/x",
            "postgres://u:a@b/hunter2@h/x",
            "postgres://u:a@b?hunter2@h/x",
            "postgres://u:a@b?x=hunter2@h/x",
            "postgres://u%3Ahunter2@h/x",
            "postgres://h/x?user=u:hunter2",
            "postgres://h/x&password=hunter2",
            "postgres://u&password=hunter2@h/x",
            "postgres://u@h;password=hunter2/x",
            "postgres://u@h/x password=hunter2",
            "postgres://u@h/x?hunter2",
            "postgres://u@h/x?hunter2=1",
            "postgres://u@h/x?pass%77ord=hunter2",
            "postgres://u@h/x?sslmode=hunter2",
            "postgres://u@h/x?application_name=hunter2&port=hunter2",
            "postgres://%ffhunter2:x@h/x",
            "mysql://u:hunter2@h/x",
            "host=h password=hunter2",
            "hunter2",
        ] {
            let text = match PostgresAddress::parse(address) {
                Ok(address) => format!("{} {address:?}", address.name()),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!text.contains(word), "{address}: {text}");
        }
    }

    #[test]
    fn a_password_ends_at_the_last_at_of_the_authority() {
        let address =
            PostgresAddress::parse("postgres://u@d:hun@ter2@127.0.0.1:5/x?user=v").unwrap();
        assert_eq!(address.config().get_password(), Some(&b"hun@ter2"[..]));
        assert_eq!(address.name(), "postgres://v@127.0.0.1:5/x");
        assert_eq!(name("postgres://u@d@h/x"), "postgres://u@d@h:5432/x");
    }

    #[test]
    fn a_scheme_is_one_in_any_case_and_space_is_around_it() {
        for address in [" postgres://u@h/x\n", "Postgres://u@h/x", "POSTGRESQL://u@h/x"] {
            assert_eq!(name(address), "postgres://u@h:5432/x");
        }
    }

    #[test]
    fn a_password_is_found_wherever_it_is() {
        for (address, expected) in [
            ("postgres://user:hidden@host/db", true),
            ("postgres://user:hidden@host:5432/db", true),
            ("postgres://user:hid@den@host:5432/db", true),
            ("postgres://host/db?user=u&password=hidden", true),
            ("postgres://host/db?user=u&pass%77ord=hidden", true),
            ("postgres://user:@host/db", true),
            ("postgres://user@host:5432/db", false),
            ("postgres://host:5432/db?user=a:b", false),
        ] {
            let parsed = PostgresAddress::parse(address).unwrap();
            assert_eq!(parsed.has_password(), expected, "{address}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let parse = |address: &str| PostgresAddress::parse(address).unwrap_err();
        for (address, part) in [
            ("", "this is not the address"),
            ("usage.db", "this is not the address"),
            ("postgres:/u@h/x", "this is not the address"),
            ("postgres:///usage", "has no host"),
            ("postgres://u@/usage", "has no host"),
            ("postgres://u:a/b@h/x", "%2F for /"),
            ("postgres://u@h:99999/x", "port is wrong"),
            ("postgres://u@h:port/x", "port is wrong"),
            ("postgres://u@[::1/x", "host is wrong"),
            ("postgres://u@h/x?sslrootcert=a", "sslrootcert in the address"),
            ("postgres://u@h/x?other=a", "a setting behind the question mark"),
            ("postgres://u@h/x?sslmode", "a setting behind the question mark"),
        ] {
            let error = parse(address).to_string();
            assert!(error.contains(part), "{address}: {error}");
        }
        // All that have a form of their own, and those that are known elsewhere: as the library names
        // them today.
        for (setting, _) in SETTINGS.into_iter().filter(|(setting, _)| *setting != "host") {
            let error = parse(&format!("postgres://u@h/x?{setting}=verify-full"));
            let is_named = matches!(error, InvalidAddress::Setting { name, .. } if name == setting);
            assert!(is_named, "{setting}: {error:?}");
        }
        for setting in UNKNOWN {
            let error = parse(&format!("postgres://u@h/x?{setting}=a"));
            assert_eq!(error, InvalidAddress::UnknownSetting { name: Some(setting) });
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_a_host() {
        let address = PostgresAddress::parse("postgres:///usage?host=/run/postgresql&user=u");
        assert_eq!(address.unwrap().name(), "postgres://u@/run/postgresql/usage");
    }
}
