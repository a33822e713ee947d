//! `serve`: a Usage API, until a signal comes.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;
use usage_server::{Config, Database, Faults, Redirects, Registration, Server, ServerError};

use crate::cli::{ServeArgs, Who};
use crate::failure::Failure;
use crate::output;
use crate::signals::StopSignals;

pub(crate) fn run(args: &ServeArgs, json: bool) -> Result<(), Failure> {
    // Before anything says that the server is there: whoever reads that may send a signal.
    let mut signals = StopSignals::listen().map_err(Failure::server)?;
    let config = Config::new(Database::file(&args.database))
        .faults(faults(args)?)
        .registration(registration(args)?)
        .redirects(redirects(args)?)
        .on_request(|request| log(&request.to_string()));
    let server =
        Server::bind(&*args.listen, config).map_err(|error| not_bound(error, &args.listen))?;
    announce(&server, args, json)?;

    signals.wait();
    log("stopping: waiting for the requests in flight; a second signal stops at once");
    signals.exit_on_the_next();
    server.shutdown().map_err(Failure::server)?;
    log("stopped");
    Ok(())
}

/// Why `--listen` cannot be had: the library does not know what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {advice}")]
struct NotBound {
    address: String,
    advice: &'static str,
    source: io::Error,
}

fn not_bound(error: ServerError, address: &str) -> Failure {
    let (advice, source) = match error {
        ServerError::Address { source, .. } => {
            ("this is no address, and no name that can be looked up", source)
        }
        ServerError::Listen { source, .. } => (advice(source.kind()), source),
        other => return Failure::server(other),
    };
    Failure::server(NotBound { address: address.to_owned(), advice, source })
}

fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another port with --listen"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address: choose one of its own with --listen, or 0.0.0.0 \
             for all of them"
        }
        io::ErrorKind::PermissionDenied => {
            "the system does not allow it, as is usual for ports below 1024: choose another with \
             --listen"
        }
        _ => "choose another address with --listen",
    }
}

/// One line, or one object, on standard output; then what people may want to know.
fn announce(server: &Server, args: &ServeArgs, json: bool) -> Result<(), Failure> {
    let url = server.url();
    let token = match &args.create_token {
        Some(organisation) => {
            Some((organisation, server.create_token(organisation).map_err(Failure::server)?))
        }
        None => None,
    };
    let token = token.as_ref().map(|(organisation, token)| (*organisation, token.expose()));
    let said = if json {
        output::json(&Listening {
            url: &url,
            address: server.local_addr().to_string(),
            database: server.store().path().display().to_string(),
            token: token.map(|(organisation, token)| NewToken { organisation, token }),
        })
    } else {
        let line =
            token.map(|(organisation, token)| format!("\ntoken for {organisation:?}: {token}"));
        output::line(&format!("listening on {url}{}", line.unwrap_or_default()))
    };
    match said {
        // Whoever started it does not care where it listens.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    log(&format!("storing in {}", server.store().path().display()));
    if !server.local_addr().ip().is_loopback() {
        log("other machines can reach this address, and tokens travel readable to it: \
             put something that speaks TLS in front");
    }
    Ok(())
}

/// Who may register, and with which codes.
fn registration(args: &ServeArgs) -> Result<Registration, Failure> {
    Ok(match (args.registration, &args.invite_file) {
        (Who::Closed, _) => Registration::Closed,
        (Who::Open, _) => Registration::Open,
        (Who::Invite, file) => {
            let path = file.as_deref().unwrap_or(Path::new(""));
            let codes = std::fs::read_to_string(path).map_err(|source| Failure::Build {
                message: format!("cannot read the invite codes from {}", path.display()),
                field: Some("invite_file".to_owned()),
                source: Some(source.into()),
            })?;
            Registration::invite(codes.lines())
        }
    })
}

fn redirects(args: &ServeArgs) -> Result<Redirects, Failure> {
    args.allow_redirect
        .iter()
        .try_fold(Redirects::new(), |redirects, origin| redirects.allow(origin))
        .map_err(Failure::server)
}

fn faults(args: &ServeArgs) -> Result<Faults, Failure> {
    let faults = Faults::new();
    faults.fail(args.fail);
    faults.delay(args.delay.unwrap_or_default());
    faults.redirect(args.redirect.as_deref()).map_err(Failure::server)?;
    faults.retry_after(args.retry_after.as_deref()).map_err(Failure::server)?;
    Ok(faults)
}

/// One line on standard error. A server goes on when nobody reads its log.
fn log(line: &str) {
    let time = humantime::format_rfc3339_millis(SystemTime::now());
    let line = format!("{time} {line}\n");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

#[derive(Serialize)]
struct Listening<'a> {
    url: &'a str,
    address: String,
    database: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<NewToken<'a>>,
}

#[derive(Serialize)]
struct NewToken<'a> {
    organisation: &'a str,
    token: &'a str,
}
