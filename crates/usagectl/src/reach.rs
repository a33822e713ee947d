//! Which API is meant, and how it is reached.

use std::env::VarError;

use usage_proto::{BaseUrl, BuildError, choose_proxy};

use crate::failure::Failure;

/// The variable that holds the address.
const VARIABLE: &str = "USAGE_URL";

/// Whether the address comes from `--url` or from `USAGE_URL`.
pub(crate) fn is_named(option: Option<&str>) -> bool {
    option.is_some() || std::env::var_os(VARIABLE).is_some()
}

/// Whether requests go through a proxy that the environment names.
pub(crate) fn is_proxied(base_url: &BaseUrl) -> bool {
    matches!(choose_proxy(base_url, |name| std::env::var_os(name)), Ok(Some(_)))
}

/// The address of `--url`, or else of `USAGE_URL`, or else `default`.
///
/// White space around it is dropped: a file or a secret that it came from often ends in a line
/// break. An empty variable is an error like any other text that is no URL: a report must not go
/// elsewhere because a script failed to fill it.
pub(crate) fn base_url(option: Option<&str>, default: BaseUrl) -> Result<BaseUrl, Failure> {
    let (origin, text) = match option {
        Some(text) => ("--url", text.to_owned()),
        None => match std::env::var(VARIABLE) {
            Ok(text) => (VARIABLE, text),
            Err(VarError::NotUnicode(text)) => (VARIABLE, text.to_string_lossy().into_owned()),
            Err(VarError::NotPresent) => return Ok(default),
        },
    };
    BaseUrl::new(text.trim()).map_err(|error| {
        let error = BuildError::from(error);
        Failure::Build {
            message: format!("{origin}: {error}"),
            field: error.field().map(str::to_owned),
            source: None,
        }
    })
}
