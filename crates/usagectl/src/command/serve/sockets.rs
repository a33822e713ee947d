//! Where the server listens, and what to do if it cannot.

use std::io;

use usage_server::{Listener, Listeners, ServerError};

use crate::cli::ServeArgs;
use crate::failure::Failure;

/// Opens what the arguments name.
pub(super) fn open(args: &ServeArgs) -> Result<Listeners, Failure> {
    let listeners = Listeners::new(bind(&args.listen, "--listen")?);
    Ok(match &args.metrics {
        Some(address) => listeners.metrics(bind(address, "--metrics")?),
        None => listeners,
    })
}

fn bind(address: &str, option: &'static str) -> Result<Listener, Failure> {
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
        ServerError::Listen { source, .. } => (advice(source.kind(), option), source),
        other => return Failure::server(other),
    };
    let source = Reason { error, advice };
    Failure::server(NotBound { address: address.to_owned(), source })
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
