//! Everything that a product needs to report on a schedule, with a default for all but four things.

pub(crate) mod collect;
mod destination;
#[cfg(feature = "ureq")]
mod detached;
#[cfg(all(test, feature = "ureq"))]
mod early_token;
mod forget_me;
pub(crate) mod host;
mod if_due;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod if_due_task;
#[cfg(feature = "ureq")]
mod if_due_thread;
mod own_state;
pub(crate) mod preparation;
mod preview;
mod registration_line;
mod running;
mod stage;
mod start_error;
pub(crate) mod status;
mod surroundings;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod task;
#[cfg(feature = "ureq")]
mod thread;

use std::path::PathBuf;

use usage_proto::{BaseUrl, Deadlines, Token};
use usage_reporter::{Config, Consent, Risk};

pub use self::collect::{Awaited, Collect, IntoUsage, Plain};
pub use self::if_due::IfDue;
pub use self::preview::{Preview, PreviewError};
pub use self::running::{PushError, Running};
pub use self::start_error::StartError;
pub use self::status::Status;

/// A product that is about to report: what it is, where to, and under which conditions.
///
/// [`start`](Self::start) and [`start_on_tokio`](Self::start_on_tokio) make a [`Running`] of it. See
/// [the crate's page](crate) for the whole of it.
#[derive(Debug, Clone)]
#[must_use = "nothing is reported before it is started"]
pub struct Reporting {
    product: String,
    version: String,
    setting: Option<bool>,
    variable: String,
    url: Option<BaseUrl>,
    token: Option<Token>,
    state_file: Option<PathBuf>,
    accept: Vec<Risk>,
    cluster_id: Option<String>,
    host_name: Option<String>,
    config: Config,
    pub(crate) deadlines: Deadlines,
}

/// # Describe
impl Reporting {
    /// A product and its version, such as `tinykv` and `env!("CARGO_PKG_VERSION")`.
    ///
    /// Its own variable for consent is made of the product's name: `TINYKV_USAGE_REPORTING`.
    pub fn new(product: impl Into<String>, version: impl Into<String>) -> Self {
        let product = product.into();
        Self {
            variable: variable_of(&product),
            product,
            version: version.into(),
            setting: None,
            url: None,
            token: None,
            state_file: None,
            accept: Vec::new(),
            cluster_id: None,
            host_name: None,
            config: Config::new(),
            deadlines: Deadlines::new(),
        }
    }

    /// What the product's own configuration says about reporting: `Some` decides, `None` leaves it to
    /// the environment.
    pub fn setting(mut self, setting: Option<bool>) -> Self {
        self.setting = setting;
        self
    }

    /// The product's own environment variable for consent, where the derived name is not the one.
    pub fn variable(mut self, name: impl Into<String>) -> Self {
        self.variable = name.into();
        self
    }

    /// Where the Usage API is. Every product should let its configuration say so.
    pub fn url(mut self, url: BaseUrl) -> Self {
        self.url = Some(url);
        self
    }

    /// The customer's token, if there is one already. Without it reports are anonymous until
    /// [`Running::set_token`].
    pub fn token(mut self, token: impl Into<Option<Token>>) -> Self {
        self.token = token.into();
        self
    }

    /// Where the identity of this installation and the time of its last report are kept, in the
    /// product's own data directory.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Takes a state file that may not be this program's own, as on a container's volume that belongs
    /// to another user ([`Risk::OtherOwner`]). Links, and files that others may write, are refused as
    /// well unless accepted: who put them there would decide under which identity this one reports.
    pub fn accept_file(mut self, risk: Risk) -> Self {
        self.accept.push(risk);
        self
    }

    /// The cluster that this server belongs to, for a product that has clusters and an id for each.
    /// Without it the server is a cluster by itself, under an id that is minted once.
    pub fn cluster_id(mut self, id: impl Into<String>) -> Self {
        self.cluster_id = Some(id.into());
        self
    }

    /// The host's name that the server registers with, where the system's own is not the one.
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.host_name = Some(name.into());
        self
    }

    /// How often to report, and how hard to try; every 12 hours unless set.
    pub fn schedule(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How long one request may take; 60 seconds unless set.
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }
}

/// # Inspect
impl Reporting {
    /// Whether this product would report, and which rule decides it: the setting, the product's own
    /// variable, `DO_NOT_TRACK`, in this order. Nothing else is looked at.
    #[must_use]
    pub fn consent(&self) -> Consent {
        Consent::from_env(self.setting, &self.variable)
    }
}

/// `tiny-kv` is `TINY_KV_USAGE_REPORTING`.
fn variable_of(product: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{}_USAGE_REPORTING", product.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::variable_of;

    #[test]
    fn the_variable_is_made_of_the_product() {
        for (product, variable) in [
            ("tinykv", "TINYKV_USAGE_REPORTING"),
            ("chronograf-ng", "CHRONOGRAF_NG_USAGE_REPORTING"),
            ("Größe 2", "GR__E_2_USAGE_REPORTING"),
        ] {
            assert_eq!(variable_of(product), variable);
        }
    }
}
