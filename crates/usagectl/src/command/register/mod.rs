//! `register`: the whole way round, from the address that a customer opens to the token in a file.
//!
//! The token comes back by either of two ways, whichever is first: the browser goes to a server on
//! loopback that is here for this alone, or somebody pastes what the browser shows. The second is
//! for a browser on another machine, and for a container.

mod callback;
mod pasted;
mod token_sink;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use usage_proto::{Api, BaseUrl, Registration, Token};

use self::token_sink::TokenSink;
use crate::cli::RegisterArgs;
use crate::failure::Failure;
use crate::output::{self, BOLD, DIM, GOOD};
use crate::signals::{Hangup, StopSignals, Waited};
use crate::{reach, terminal_text};

/// How long a customer may take.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Where the browser comes back to; the state stands behind it.
const PATH: &str = "/callback";

pub(crate) fn run(args: &RegisterArgs, json: bool) -> Result<(), Failure> {
    let api = Api::new(reach::base_url(args.url.as_deref(), BaseUrl::PRODUCTION)?);
    let registration = Registration::new(&args.cluster_id, &args.product);
    match &args.token_file {
        Some(file) => register(args, &api, registration, TokenSink::new(file)?, json),
        None => print(args, &api, registration, json),
    }
}

/// `--print`: the address alone.
fn print(
    args: &RegisterArgs,
    api: &Api,
    mut registration: Registration,
    json: bool,
) -> Result<(), Failure> {
    if let Some(url) = &args.redirect_url {
        registration = registration.redirect_url(url);
    }
    let url = api.registration_url(&registration)?;
    if json {
        output::json(&Printed { url: url.as_str() })?;
    } else {
        output::line(url.as_str())?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Printed<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct Registered<'a> {
    outcome: &'static str,
    token_file: &'a str,
}

/// Waits for the token, and stores it.
fn register(
    args: &RegisterArgs,
    api: &Api,
    registration: Registration,
    sink: TokenSink,
    json: bool,
) -> Result<(), Failure> {
    // Before anything is printed: a signal from now on ends this in good order.
    let mut signals = StopSignals::listen(Hangup::Stops)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.callback_port));
    let listener = TcpListener::bind(address).map_err(|source| Failure::Build {
        message: format!("cannot wait for the browser at {address}"),
        field: Some("callback_port".to_owned()),
        source: Some(source.into()),
    })?;
    let port = listener.local_addr()?.port();
    let mut state = [0; 16];
    getrandom::fill(&mut state).map_err(|error| Failure::Server(error.into()))?;
    let registration = registration
        // The literal address: `localhost` may be another one to the browser.
        .redirect_url(format!("http://127.0.0.1:{port}{PATH}"))
        .state_in_path(state);
    let url = api.registration_url(&registration)?;

    invite(url.as_str(), port, json)?;
    if args.open
        && let Err(error) = open::that_detached(url.as_str())
    {
        output::note(&format!("{DIM}no browser could be opened ({error}){DIM:#}"));
    }

    let (found, mut tokens) = mpsc::unbounded_channel();
    pasted::listen(registration.clone(), found.clone());
    let callback = callback::Callback::start(listener, registration, found, PATIENCE)?;
    let mut token = None;
    let waited = signals.wait_or(async { token = tokens.recv().await });
    let interrupted = matches!(waited, Waited::Signal);
    // The browser gets its last page; a signal does not wait for that.
    if !interrupted {
        callback.finish();
    }
    match token {
        Some(token) => store(&token, sink, json),
        None if interrupted => Err(ended("interrupted: nothing was registered or stored")),
        None => Err(ended("no token came within 10 minutes: start again when you are ready")),
    }
}

/// Says where to go, and what happens then.
fn invite(url: &str, port: u16, json: bool) -> Result<(), Failure> {
    output::note(&format!("{BOLD}Open this address in a browser to register:{BOLD:#}"));
    if json {
        // Standard output is for the one object at the end.
        output::note(&format!("\n  {url}\n"));
    } else {
        output::note("");
        output::line(url)?;
        output::note("");
    }
    output::note(&format!(
        "{DIM}The token is taken from there. If the browser is on another machine, paste here the\n\
         address that it ends at, or the token that the page shows; or forward the port first:\n  \
         ssh -L {port}:127.0.0.1:{port} …    (--callback-port keeps the number)\n\
         Ctrl-C ends this; nothing is stored then.{DIM:#}"
    ));
    Ok(())
}

fn store(token: &Token, sink: TokenSink, json: bool) -> Result<(), Failure> {
    let path = sink.path().display().to_string();
    sink.store(token)?;
    if json {
        output::json(&Registered { outcome: "registered", token_file: &path })?;
    } else {
        let path = terminal_text::escape(&path);
        output::note(&format!("{GOOD}Registered.{GOOD:#} The token is in {path}."));
    }
    Ok(())
}

fn ended(words: &'static str) -> Failure {
    Failure::NotRegistered(words)
}
