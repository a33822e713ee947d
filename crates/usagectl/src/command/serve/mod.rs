//! `serve`: a Usage API, until a signal comes.

mod configuration;
mod request_lines;
mod sockets;
mod systemd;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use serde::Serialize;
use tokio::sync::oneshot;
use usage_files::Accept;
use usage_proto::{Chain, Token};
use usage_server::{Config, Faults, ListenAddress, Retention, Server};

use self::configuration::Configuration;
use self::request_lines::RequestLines;
use crate::cli::{ServeArgs, Who};
use crate::failure::Failure;
use crate::signals::{Hangup, StopSignals, Waited};
use crate::{log_thread, output, terminal_text};

pub(crate) fn run(args: &ServeArgs, json: bool) -> Result<(), Failure> {
    // Before anything is told: whoever reads it may send a signal, and nobody may read it at all.
    let mut signals = StopSignals::listen(hangup(args)).map_err(Failure::server)?;
    log_thread::start().map_err(Failure::server)?;
    let configuration = Configuration::read(args)?;
    let log_file = args.log_file.as_deref().map(open_log).transpose()?;
    let retention = args.keep.unwrap_or_default();
    let lines = Arc::<RequestLines>::default();
    lines.configure(&configuration);
    let of_requests = lines.clone();
    let config = Config::new(args.database.database()?)
        .retention(retention)
        .faults(faults(args)?)
        .terms(configuration.terms)
        .on_request(move |request| of_requests.tell(request))
        .on_event(|event| log_thread::line_now(&terminal_text::escape(&event.to_string())));
    let server = Server::listen(sockets::open(args)?, config).map_err(Failure::not_started)?;
    // What is wrong up to here is told where the command was called.
    if let Some(file) = log_file {
        log_thread::turn_to(file);
    }
    let mut announced =
        pin!(announce(announcement(&server, args, json)?).map_err(Failure::server)?);
    tell_where(&server);
    tell_who(&server, configuration.who);
    tell_how_long(retention);
    systemd::ready();

    loop {
        match signals.wait_or(&mut announced) {
            Waited::Signal => break,
            Waited::Hangup => {
                systemd::reloading();
                reload(&server, args, &lines);
                systemd::ready();
            }
            Waited::Other(failure) => return Err(failure.into()),
        }
    }
    systemd::stopping();
    log_thread::line_now(
        "stopping: waiting for the requests in flight; a second signal stops at once",
    );
    server.shutdown().map_err(Failure::server)?;
    log_thread::line_now("stopped");
    Ok(())
}

/// SIGHUP comes from a terminal that goes away, too: a server that was started by hand there, and has
/// nothing to read again, goes with it.
fn hangup(args: &ServeArgs) -> Hangup {
    let is_by_hand = io::stderr().is_terminal() && args.log_file.is_none() && args.config.is_none();
    if is_by_hand { Hangup::Stops } else { Hangup::IsTold }
}

fn open_log(path: &Path) -> Result<File, Failure> {
    usage_files::append(path, Accept::NOTHING).map_err(|error| Failure::Build {
        message: "cannot log there".to_owned(),
        field: Some("log_file".to_owned()),
        source: Some(error.into()),
    })
}

/// Whatever is wrong with what is read now, the server goes on.
fn reload(server: &Server, args: &ServeArgs, lines: &RequestLines) {
    match args.log_file.as_deref().map(open_log).transpose() {
        Ok(None) => {}
        Ok(Some(file)) => {
            log_thread::turn_to(file);
            log_thread::line_now("the log was opened anew");
        }
        Err(failure) => tell_kept("the log goes on in the file that is open", &failure),
    }
    match Configuration::read(args) {
        Ok(configuration) => {
            lines.configure(&configuration);
            server.set_terms(configuration.terms);
            log_thread::line_now("the configuration was read again");
        }
        Err(failure) => tell_kept("the configuration stays as it was", &failure),
    }
}

fn tell_kept(what: &str, failure: &Failure) {
    log_thread::line_now(&terminal_text::escape(&format!("{what}: {}", Chain(failure))));
}

fn tell_where(server: &Server) {
    log_thread::line_now(&format!("storing in {}", server.store().path().display()));
    if let Some(address) = server.metrics_address() {
        log_thread::line_now(&format!("metrics at {address}, path /metrics"));
        if address.is_reachable_from_outside() {
            log_thread::line_now("other machines can read the metrics there");
        }
    }
    if server.addresses().iter().any(ListenAddress::is_reachable_from_outside) {
        log_thread::line_now(
            "other machines can reach this address, and tokens travel readable to it: \
             put something that speaks TLS in front",
        );
    }
}

fn tell_how_long(retention: Retention) {
    log_thread::line_now(&if retention.is_forever() {
        "keeping all reports for ever: --keep limits that".to_owned()
    } else {
        format!("keeping reports: {retention}")
    });
}

fn tell_who(server: &Server, who: Who) {
    let who = match who {
        Who::Closed => return,
        Who::Invite => "whoever has an invite code",
        Who::Open => "anybody",
    };
    log_thread::line_now(&format!("{who} may register at {}/start", server.url()));
}

/// One line, or one object, that says where the server is, and the token that it was asked for.
fn announcement(server: &Server, args: &ServeArgs, json: bool) -> Result<Vec<u8>, Failure> {
    let addresses = server.addresses();
    let url = addresses.iter().any(|address| address.tcp().is_some()).then(|| server.url());
    let token = args.create_token.as_deref().map(|organisation| {
        Ok::<_, Failure>((organisation, create_token(server, organisation, args.another)?))
    });
    let token = token.transpose()?;
    let token = token
        .as_ref()
        .map(|(organisation, token)| (*organisation, token.as_ref().map(Token::expose)));
    if json {
        return Ok(output::json_line(&Listening {
            url: url.as_deref(),
            address: addresses.first().map(ToString::to_string),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            metrics: server.metrics_address().map(ToString::to_string),
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
    let mut text = String::new();
    for address in addresses {
        // The first one that a program on this machine can reach by TCP stands as it would ask.
        let place = match (address.tcp(), &url) {
            (Some(address), Some(url)) if address == server.local_addr() => url.clone(),
            _ => address.to_string(),
        };
        // Writing to a String can not fail.
        let _ = writeln!(text, "listening on {place}");
    }
    Ok((text + &token.unwrap_or_default()).into_bytes())
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
    /// Over TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    /// The first of them.
    address: Option<String>,
    addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<String>,
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
