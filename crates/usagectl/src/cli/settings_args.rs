//! What `serve` may be told by its arguments, and by a file that is read again later.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use usage_server::{InvalidOrigin, Redirects};

/// Each of them is an option, and in the file a key of the same name.
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
            log_format: self.log_format.or(other.log_format),
            log_addresses: self.log_addresses.or(other.log_addresses),
        }
    }
}

fn origin(text: &str) -> Result<String, InvalidOrigin> {
    Redirects::new().allow(text).map(|_| text.to_owned())
}
