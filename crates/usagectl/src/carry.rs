//! `usagectl save server --json`, over an HTTP library of the caller's choice.

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use usage_proto::{Api, Deadlines};

use crate::carrier::Carrier;
use crate::cli::{ApiArgs, DeadlineArgs, Kind, RequestArgs, SaveArgs};
use crate::{command, dispatch};

type Connect = fn(Api, Deadlines) -> Result<Carrier, Box<dyn Error + Send + Sync>>;

/// An HTTP library that can carry a report.
#[derive(Debug, Clone, Copy)]
pub struct Adapter {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Makes a client for an API, as [`Carrier::ureq`] does.
    pub connect: Connect,
}

/// Save a server over one of the HTTP libraries that can carry a report, and print what
/// `usagectl save server --json` prints
#[derive(Debug, Parser)]
struct Arguments {
    /// HTTP library that carries the report
    #[arg(index = 1)]
    adapter: String,

    /// JSON body of the report, or - for standard input
    #[arg(index = 2, value_name = "BODY.json")]
    file: PathBuf,

    #[command(flatten)]
    api: ApiArgs,

    #[command(flatten)]
    deadlines: DeadlineArgs,
}

/// Saves the server that a file describes over one of `adapters`, and prints the one object that
/// `usagectl save server --json` prints.
///
/// `arguments` are those of a program: its name, the name of an adapter, the file, and the options
/// of `save` that say which API is meant. The exit status is that of `save`.
#[must_use]
pub fn carry(arguments: impl IntoIterator<Item = OsString>, adapters: &[Adapter]) -> ExitCode {
    let exit = match read(arguments, adapters) {
        Ok((save, connect)) => dispatch::finish(command::save::run(&save, connect, true), true),
        Err(error) => dispatch::explain(&error, true),
    };
    exit.into()
}

fn read(
    arguments: impl IntoIterator<Item = OsString>,
    adapters: &[Adapter],
) -> Result<(SaveArgs, Connect), clap::Error> {
    let names = PossibleValuesParser::new(adapters.iter().map(|adapter| adapter.name));
    let mut command =
        Arguments::command().mut_arg("adapter", |argument| argument.value_parser(names));
    let matches = command.try_get_matches_from_mut(arguments)?;
    let Arguments { adapter, file, api, deadlines } = Arguments::from_arg_matches(&matches)?;
    let mut refuse = |message| command.error(ErrorKind::ArgumentConflict, message);
    api.check(&[&file]).map_err(&mut refuse)?;
    let adapter = adapters.iter().find(|one| one.name == adapter);
    let connect = adapter.ok_or_else(|| refuse("there is no such adapter"))?.connect;
    let request = RequestArgs { kind: Kind::Server, file, product: None, api };
    Ok((SaveArgs { request, deadlines }, connect))
}
