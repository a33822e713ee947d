//! What `serve` may be told by its arguments, and by a file that is read again later.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use usage_server::{InvalidNetwork, InvalidOrigin, Proxies, Redirects};

use super::serve_args::not_blank;

/// Each of them is an option, and in the file a key of the same name with the same bounds: what is a
/// number has them in its type.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// Who may register at the page /start: anybody, who has an invite code, or nobody
    #[arg(long, value_enum, value_name = "WHO", help_heading = "Registration")]
    pub(crate) registration: Option<Who>,

    /// File with the invite codes, one a line
    #[arg(long, value_name = "FILE", help_heading = "Registration")]
    pub(crate) invite_file: Option<PathBuf>,

    /// Origin that a browser may be sent back to, beside this machine; may be given again
    #[arg(long, value_name = "ORIGIN", value_parser = origin, help_heading = "Registration")]
    pub(crate) allow_redirect: Option<Vec<String>>,

    /// Products whose reports are taken, separated by commas; all unless set
    #[arg(
        long,
        value_name = "PRODUCT",
        value_delimiter = ',',
        value_parser = not_blank,
        help_heading = "Limits"
    )]
    pub(crate) products: Option<Vec<String>>,

    /// Requests in a minute from one address
    #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
    pub(crate) requests_per_address: Option<NonZeroU32>,

    /// Bytes of bodies in a minute from one address
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) bytes_per_address: Option<NonZeroU64>,

    /// Reports in a minute with one token
    #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
    pub(crate) requests_per_token: Option<NonZeroU32>,

    /// Bytes of reports in a minute with one token
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) bytes_per_token: Option<NonZeroU64>,

    /// Different keys of a product in a day; further ones are stored as (other)
    #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
    pub(crate) keys_per_day: Option<NonZeroU32>,

    /// Different texts of a product in a day; further ones are stored as (other)
    #[arg(long, value_name = "NUMBER", help_heading = "Limits")]
    pub(crate) values_per_day: Option<NonZeroU32>,

    /// Network of a proxy whose X-Forwarded-For is believed, or unix; may be given again
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = network, help_heading = "Limits")]
    pub(crate) trust_forwarded_for: Option<Vec<String>>,

    /// How a line of the log looks
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Log")]
    pub(crate) log_format: Option<LogFormat>,

    /// Log the address that a request came from
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true",
        require_equals = true,
        help_heading = "Log"
    )]
    pub(crate) log_addresses: Option<bool>,
}

/// Who may register.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Who {
    /// Nobody: tokens are made with --create-token
    #[default]
    Closed,
    /// Whoever has one of the codes in --invite-file
    Invite,
    /// Anybody who reaches the page
    Open,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people: the time, and a sentence
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

impl Settings {
    /// What is not said here is as it is there.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            registration: self.registration.or(other.registration),
            invite_file: self.invite_file.or(other.invite_file),
            allow_redirect: self.allow_redirect.or(other.allow_redirect),
            products: self.products.or(other.products),
            requests_per_address: self.requests_per_address.or(other.requests_per_address),
            bytes_per_address: self.bytes_per_address.or(other.bytes_per_address),
            requests_per_token: self.requests_per_token.or(other.requests_per_token),
            bytes_per_token: self.bytes_per_token.or(other.bytes_per_token),
            keys_per_day: self.keys_per_day.or(other.keys_per_day),
            values_per_day: self.values_per_day.or(other.values_per_day),
            trust_forwarded_for: self.trust_forwarded_for.or(other.trust_forwarded_for),
            log_format: self.log_format.or(other.log_format),
            log_addresses: self.log_addresses.or(other.log_addresses),
        }
    }
}

fn network(text: &str) -> Result<String, InvalidNetwork> {
    Proxies::new().trust(text).map(|_| text.to_owned())
}

fn origin(text: &str) -> Result<String, InvalidOrigin> {
    Redirects::new().allow(text).map(|_| text.to_owned())
}
