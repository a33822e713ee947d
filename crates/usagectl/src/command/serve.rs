//! `serve`: a Usage API, until a signal comes.

use std::io;
use std::path::Path;
use std::thread;

use serde::Serialize;
use tokio::sync::oneshot;
use usage_proto::Token;
use usage_server::{Config, Faults, Redirects, Registration, Server, ServerError};

use crate::cli::{ServeArgs, Who};
use crate::failure::Failure;
use crate::signals::{StopSignals, Waited};
use crate::{log_thread, output, terminal_text};

pub(crate) fn run(args: &ServeArgs, json: bool) -> Result<(), Failure> {
    // Before anything is told: whoever reads it may send a signal, and nobody may read it at all.
    let mut signals = StopSignals::listen().map_err(Failure::server)?;
    log_thread::start().map_err(Failure::server)?;
    let retention = args.keep.unwrap_or_default();
    let config = Config::new(args.database.database()?)
        .retention(retention)
        .faults(faults(args)?)
        .registration(registration(args)?)
        .redirects(redirects(args)?)
        .on_request(|request| log_thread::line_now(&request.to_string()))
        .on_event(|event| log_thread::line_now(&terminal_text::escape(&event.to_string())));
    let server =
        Server::bind(&*args.listen, config).map_err(|error| not_bound(error, &args.listen))?;
    let announced = announce(announcement(&server, args, json)?).map_err(Failure::server)?;
    log_thread::line_now(&format!("storing in {}", server.store().path().display()));
    log_thread::line_now(&if retention.is_forever() {
        "keeping all reports for ever: --keep limits that".to_owned()
    } else {
        format!("keeping reports: {retention}")
    });
    if !server.local_addr().ip().is_loopback() {
        log_thread::line_now(
            "other machines can reach this address, and tokens travel readable to it: \
             put something that speaks TLS in front",
        );
    }

    if let Waited::Other(failure) = signals.wait_or(announced) {
        return Err(failure.into());
    }
    log_thread::line_now(
        "stopping: waiting for the requests in flight; a second signal stops at once",
    );
    server.shutdown().map_err(Failure::server)?;
    log_thread::line_now("stopped");
    Ok(())
}

/// `--listen` cannot be had: the library does not know what was asked for.
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
    advice: &'static str,
}

fn not_bound(error: ServerError, address: &str) -> Failure {
    let (advice, error) = match error {
        ServerError::Address { source, .. } => {
            ("this is not an address, and not a name that can be looked up", source)
        }
        ServerError::Listen { source, .. } => (advice(source.kind()), source),
        other => return Failure::server(other),
    };
    let source = Reason { error, advice };
    Failure::server(NotBound { address: address.to_owned(), source })
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

/// One line, or one object, that says where the server is, and the token that it was asked for.
fn announcement(server: &Server, args: &ServeArgs, json: bool) -> Result<Vec<u8>, Failure> {
    let url = server.url();
    let token = args.create_token.as_deref().map(|organisation| {
        Ok::<_, Failure>((organisation, create_token(server, organisation, args.another)?))
    });
    let token = token.transpose()?;
    let token = token
        .as_ref()
        .map(|(organisation, token)| (*organisation, token.as_ref().map(Token::expose)));
    if json {
        return Ok(output::json_line(&Listening {
            url: &url,
            address: server.local_addr().to_string(),
            database: server.store().path().display().to_string(),
            token: token.map(|(organisation, token)| NewToken { organisation, token }),
        })?);
    }
    let token = token.map(|(organisation, token)| match token {
        Some(token) => format!("token for {organisation:?}: {token}\n"),
        None => {
            format!("no token made for {organisation:?}: it has one; --another makes one more\n")
        }
    });
    Ok(format!("listening on {url}\n{}", token.unwrap_or_default()).into_bytes())
}

/// Prints on a thread of its own: standard output may be read by nobody, and the signals are not to
/// wait for that. What is returned is done if this fails, and never otherwise.
fn announce(text: Vec<u8>) -> io::Result<impl Future<Output = io::Error>> {
    let (told, failed) = oneshot::channel();
    thread::Builder::new().name("announcement".to_owned()).spawn(move || {
        match output::bytes(&text) {
            // Whoever started the server does not care where it listens.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(told.send(error)),
            _ => {}
        }
    })?;
    Ok(async {
        match failed.await {
            Ok(error) => error,
            Err(_) => std::future::pending().await,
        }
    })
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

/// `None` where the organisation has a token and is to have no other: a service that makes one at
/// each start would have many.
fn create_token(
    server: &Server,
    organisation: &str,
    another: bool,
) -> Result<Option<Token>, Failure> {
    if !another && server.store().has_token(organisation).map_err(Failure::server)? {
        return Ok(None);
    }
    server.create_token(organisation).map(Some).map_err(Failure::server)
}

fn faults(args: &ServeArgs) -> Result<Faults, Failure> {
    let faults = Faults::new();
    faults.fail(args.fail);
    faults.delay(args.delay.unwrap_or_default());
    faults.redirect(args.redirect.as_deref()).map_err(Failure::server)?;
    faults.retry_after(args.retry_after.as_deref()).map_err(Failure::server)?;
    Ok(faults)
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
    /// `null` if the organisation has one already.
    token: Option<&'a str>,
}
