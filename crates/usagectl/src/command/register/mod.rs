//! `register`: the whole way round, from the address that a customer opens to the token in a file.
//!
//! The token comes back by either of two ways, whichever is first: the browser goes to a server on
//! loopback that is here for this alone, or somebody pastes what the browser shows. The second is
//! for a browser on another machine, and for a container.

mod callback;
mod callback_page;
mod pasted;
mod token_sink;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::timeout;
use usage_proto::{Api, BaseUrl, Registration, Token};

use self::callback::{CALLBACK, Callback};
use self::token_sink::TokenSink;
use crate::cli::RegisterArgs;
use crate::failure::Failure;
use crate::output::{self, BOLD, DIM, GOOD};
use crate::signals::{Hangup, StopSignals, Waited};
use crate::{reach, terminal_text};

pub(crate) fn run(args: &RegisterArgs, json: bool) -> Result<(), Failure> {
    let api = Api::new(reach::base_url(args.url.as_deref(), BaseUrl::PRODUCTION)?);
    let registration = Registration::new(&args.cluster_id, &args.product);
    if args.print {
        print(args, &api, registration, json)
    } else {
        wait(args, &api, registration, json)
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

/// Waits for the token, and hands it on.
fn wait(
    args: &RegisterArgs,
    api: &Api,
    registration: Registration,
    json: bool,
) -> Result<(), Failure> {
    let sink = TokenSink::new(args.token_file.as_deref())?;
    // Before anything is printed: a signal from now on ends this in good order.
    let mut signals = StopSignals::listen(Hangup::Stops)?;
    let listener = listen(args.callback_port)?;
    let port = listener.local_addr()?.port();
    let mut state = [0; 16];
    getrandom::fill(&mut state).map_err(|error| Failure::Server(error.into()))?;
    let registration = registration
        // The literal address: `localhost` may be another one to the browser.
        .redirect_url(format!("http://127.0.0.1:{port}{CALLBACK}"))
        .state_in_path(state);
    let url = api.registration_url(&registration)?;

    let (found, mut tokens) = mpsc::unbounded_channel();
    let callback = Callback::start(listener, registration.clone(), found.clone())?;
    // Standard output is for what comes in the end: the one object, or the token.
    invite(url.as_str(), port, !json && matches!(sink, TokenSink::File(_)))?;
    if args.open
        && let Err(error) = open::that_detached(url.as_str())
    {
        output::note(&format!(
            "{DIM}no browser could be opened ({}): open the address yourself{DIM:#}",
            terminal_text::escape(&error.to_string())
        ));
    }
    pasted::listen(registration, found);

    match signals.wait_or(async { timeout(args.wait, tokens.recv()).await }) {
        // A hang-up is a signal like the others here.
        Waited::Signal | Waited::Hangup => {
            Err(Failure::NotRegistered("interrupted: no token came, and nothing is stored".into()))
        }
        Waited::Other(Ok(Some(token))) => {
            let stored = sink.store(&token);
            callback.finish(stored.is_ok());
            stored?;
            tell(&token, &sink, json)
        }
        // `None` if nobody listens any more.
        Waited::Other(Ok(None) | Err(_)) => Err(too_late(args.wait)),
    }
}

fn listen(port: u16) -> Result<TcpListener, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).map_err(|source| Failure::Build {
        message: format!("cannot wait for the browser at {address}"),
        field: Some("callback_port".to_owned()),
        source: Some(source.into()),
    })
}

fn too_late(wait: Duration) -> Failure {
    let wait = humantime::format_duration(wait);
    Failure::NotRegistered(format!(
        "no token came within {wait}, and nothing is stored: start again when the customer is ready"
    ))
}

/// Says where to go, and what happens then.
fn invite(url: &str, port: u16, to_standard_output: bool) -> Result<(), Failure> {
    output::note(&format!("{BOLD}Open this address in a browser to register:{BOLD:#}\n"));
    if to_standard_output {
        output::line(url)?;
    } else {
        output::note(url);
    }
    output::note(&format!(
        "\n{DIM}The token is taken from there. If the browser is on another machine, paste here the\n\
         address that it ends at, or the token that a page shows; or forward the port first:\n  \
         ssh -L {port}:127.0.0.1:{port} …    (--callback-port keeps the number)\n\
         Ctrl-C ends this; nothing is stored then.{DIM:#}"
    ));
    Ok(())
}

#[derive(Serialize)]
struct Registered<'a> {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<&'a str>,
    /// Where there is no file for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

fn tell(token: &Token, sink: &TokenSink, json: bool) -> Result<(), Failure> {
    let file = match sink {
        TokenSink::File(path) => Some(path.display().to_string()),
        TokenSink::StandardOutput => None,
    };
    let file = file.as_deref();
    if json {
        let token = file.is_none().then_some(token.expose());
        output::json(&Registered { outcome: "registered", token_file: file, token })?;
    } else if let Some(path) = file {
        let path = terminal_text::escape(path);
        output::note(&format!("{GOOD}Registered.{GOOD:#} The token is in {path}."));
    } else {
        output::note(&format!("{GOOD}Registered.{GOOD:#} The token, shown this once:"));
        output::line(token.expose())?;
    }
    Ok(())
}
