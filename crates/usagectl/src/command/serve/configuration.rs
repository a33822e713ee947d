//! What the server is told by its arguments and by files, at the start and at each SIGHUP.

use std::path::Path;
use std::time::Duration;

use usage_server::{Limits, Proxies, Redirects, Registration, Terms};

use crate::cli::{LogFormat, ServeArgs, Settings, Who};
use crate::failure::Failure;

/// The largest file, in bytes, and how long it may take: it may be a pipe.
const LIMIT: usize = 1 << 20;
const WAIT: Duration = Duration::from_secs(30);

/// All that can change while the server runs.
#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) terms: Terms,
    pub(super) who: Who,
    pub(super) log_format: LogFormat,
    pub(super) log_addresses: bool,
}

impl Configuration {
    /// Reads what there is to read. An argument comes before the file.
    pub(super) fn read(args: &ServeArgs) -> Result<Self, Failure> {
        let file = args.config.as_deref().map(read_settings).transpose()?.unwrap_or_default();
        let settings = args.settings.clone().or(file);
        let terms = Terms::new()
            .registration(registration(&settings)?)
            .redirects(redirects(&settings)?)
            .proxies(proxies(&settings)?)
            .limits(limits(&settings));
        let terms = match products(&settings)? {
            Some(products) => terms.products(products),
            None => terms,
        };
        Ok(Self {
            terms,
            who: settings.registration.unwrap_or_default(),
            log_format: settings.log_format.unwrap_or_default(),
            log_addresses: settings.log_addresses.unwrap_or_default(),
        })
    }
}

/// An empty list would take nothing, and somebody who writes it may mean everything. Space around a
/// name is not part of it, as in the option.
fn products(settings: &Settings) -> Result<Option<Vec<&str>>, Failure> {
    let Some(products) = &settings.products else { return Ok(None) };
    if products.is_empty() || products.iter().any(|product| product.trim().is_empty()) {
        return Err(Failure::Build {
            message: "each of `products` has to have a name: leave it out to take all products"
                .to_owned(),
            field: Some("products".to_owned()),
            source: None,
        });
    }
    Ok(Some(products.iter().map(|product| product.trim()).collect()))
}

fn proxies(settings: &Settings) -> Result<Proxies, Failure> {
    let networks = settings.trust_forwarded_for.iter().flatten();
    networks.map(String::as_str).try_fold(Proxies::new(), Proxies::trust).map_err(Failure::server)
}

/// What is not said is not limited.
fn limits(settings: &Settings) -> Limits {
    fn set<N: Into<T>, T>(limits: Limits, most: Option<N>, set: fn(Limits, T) -> Limits) -> Limits {
        most.map_or(limits, |most| set(limits, most.into()))
    }
    let limits = Limits::new();
    let limits = set(limits, settings.requests_per_address, Limits::requests_per_address);
    let limits = set(limits, settings.bytes_per_address, Limits::bytes_per_address);
    let limits = set(limits, settings.requests_per_token, Limits::requests_per_token);
    let limits = set(limits, settings.bytes_per_token, Limits::bytes_per_token);
    let limits = set(limits, settings.keys_per_day, Limits::keys_per_day);
    set(limits, settings.values_per_day, Limits::values_per_day)
}

fn read_settings(path: &Path) -> Result<Settings, Failure> {
    let field = || Some("config".to_owned());
    let bytes = usage_files::read(path, LIMIT, WAIT)
        .map_err(|error| Failure::unread(error, "the configuration from ", field()))?;
    toml::from_slice(&bytes).map_err(|error| {
        // What it says by itself repeats the line, and has several.
        let text = String::from_utf8_lossy(&bytes);
        let place = error.span().map_or(String::new(), |span| {
            let before = text.get(..span.start).unwrap_or(&text);
            format!(", line {}", before.matches('\n').count() + 1)
        });
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        Failure::Build {
            message: format!("the configuration in {}{place}: {message}", path.display()),
            field: field(),
            source: None,
        }
    })
}

/// Who may register, and with which codes.
fn registration(settings: &Settings) -> Result<Registration, Failure> {
    let wrong = |message: String, source| Failure::Build {
        message,
        field: Some("invite_file".to_owned()),
        source,
    };
    Ok(match (settings.registration.unwrap_or_default(), &settings.invite_file) {
        (Who::Closed, _) => Registration::Closed,
        (Who::Open, _) => Registration::Open,
        (Who::Invite, None) => {
            let message = "to register with an invite code there have to be some: name their file \
                           with --invite-file";
            return Err(wrong(message.to_owned(), None));
        }
        (Who::Invite, Some(path)) => {
            let field = Some("invite_file".to_owned());
            let bytes = usage_files::read(path, LIMIT, WAIT)
                .map_err(|error| Failure::unread(error, "the invite codes from ", field))?;
            let codes = String::from_utf8_lossy(&bytes);
            if codes.trim().is_empty() {
                return Err(wrong(format!("there is no invite code in {}", path.display()), None));
            }
            Registration::invite(codes.lines())
        }
    })
}

fn redirects(settings: &Settings) -> Result<Redirects, Failure> {
    settings
        .allow_redirect
        .iter()
        .flatten()
        .try_fold(Redirects::new(), |redirects, origin| redirects.allow(origin))
        .map_err(Failure::server)
}
