//! Where the server listens, and what to do if it cannot.

use std::io;

use usage_server::{Listener, Listeners, ServerError};

use super::systemd;
use crate::cli::{LOCAL, ServeArgs};
use crate::failure::Failure;

/// Takes what systemd hands over, and opens what the arguments name.
pub(super) fn open(args: &ServeArgs) -> Result<Listeners, Failure> {
    let (for_metrics, for_api): (Vec<_>, Vec<_>) =
        systemd::listeners()?.into_iter().partition(|(_, is_for_metrics)| *is_for_metrics);
    let handed = for_api.into_iter().map(|(listener, _)| listener);
    let mut api = handed.collect::<Vec<_>>();
    for address in &args.listen {
        api.push(bind(address, "--listen")?);
    }
    let mut api = api.into_iter();
    let first = match api.next() {
        Some(first) => first,
        None => bind(LOCAL, "--listen")?,
    };
    let listeners = api.fold(Listeners::new(first), Listeners::and);
    let metrics = match (&args.metrics, for_metrics.into_iter().next()) {
        (Some(address), _) => Some(bind(address, "--metrics")?),
        (None, handed) => handed.map(|(listener, _)| listener),
    };
    Ok(match metrics {
        Some(metrics) => listeners.metrics(metrics),
        None => listeners,
    })
}

fn bind(address: &str, option: &'static str) -> Result<Listener, Failure> {
    #[cfg(unix)]
    if let Some(path) = address.strip_prefix("unix:") {
        return Listener::bind_unix(path).map_err(|error| not_bound(error, address, option));
    }
    Listener::bind(address).map_err(|error| not_bound(error, address, option))
}

/// The address cannot be had: the library does not know what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
struct NotBound {
    address: String,
    source: Reason,
}

/// Why, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{error}: {advice}")]
struct Reason {
    error: io::Error,
    advice: String,
}

fn not_bound(error: ServerError, address: &str, option: &str) -> Failure {
    let (advice, error) = match error {
        ServerError::Address { source, .. } => {
            ("this is not an address, and not a name that can be looked up".to_owned(), source)
        }
        #[cfg(unix)]
        ServerError::Socket { source, .. } => (file_advice(source.kind()).to_owned(), source),
        ServerError::Listen { source, .. } => (advice(source.kind(), option), source),
        other => return Failure::server(other),
    };
    let source = Reason { error, advice };
    Failure::server(NotBound { address: address.to_owned(), source })
}

#[cfg(unix)]
fn file_advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            "another server listens there, or it is a file of another kind, which is not replaced"
        }
        io::ErrorKind::NotFound => "its directory has to be there",
        io::ErrorKind::PermissionDenied => "this user may not make files in its directory",
        _ => "choose another path",
    }
}

fn advice(kind: io::ErrorKind, option: &str) -> String {
    match kind {
        io::ErrorKind::AddrInUse => {
            format!("another program listens there: stop it, or choose another port with {option}")
        }
        io::ErrorKind::AddrNotAvailable => format!(
            "this machine has no such address: choose one of its own with {option}, or 0.0.0.0 \
             for all of them"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "the system does not allow it, as is usual for ports below 1024: choose another with \
             {option}"
        ),
        _ => format!("choose another address with {option}"),
    }
}
