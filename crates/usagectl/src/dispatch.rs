//! From the arguments to the exit status.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use usage_proto::{Chain, TransportError, TransportErrorKind};

use crate::carrier::Carrier;
use crate::cli::{Cli, Command};
use crate::exit_status::Exit;
use crate::failure::Failure;
use crate::hidden_secrets::hide;
use crate::outcome_object::Outcome;
use crate::output::{self, BAD, BOLD, DIM};
use crate::{command, log_thread, terminal_text};

/// Does what the arguments of the program say, its name in front, and tells how that ended.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let exit = match Cli::read(&arguments) {
        Ok(cli) => finish(dispatch(&cli, &arguments), cli.json),
        Err(error) => explain(&error, wants_json(&arguments)),
    };
    log_thread::finish();
    exit.into()
}

fn dispatch(cli: &Cli, arguments: &[OsString]) -> Result<(), Failure> {
    match &cli.command {
        Command::Demo(_) => command::demo::run(arguments.first()),
        Command::Serve(args) => command::serve::run(args, cli.json),
        Command::Save(args) => command::save::run(args, Carrier::ureq, cli.json),
        Command::Preview(args) => command::preview::run(args, cli.json),
        Command::Report(args) => command::report::run(args, cli.json),
        Command::Status(args) => command::report_status::run(args, cli.json),
        Command::Forget(args) => command::forget::run(args, cli.json),
        Command::Register(args) => command::register::run(args, cli.json),
        Command::Tokens(args) => command::tokens::run(args, cli.json),
        Command::Export(args) => command::export::run(args),
        Command::Erase(args) => command::erase::run(args, cli.json),
        Command::Summary(args) => command::summary::run(args, cli.json),
        Command::Database(args) => command::database::run(args, cli.json),
        Command::LeadProcessGroup => {
            command::report::process_group::lead();
            Ok(())
        }
    }
}

/// Tells of a failure, on standard error or as an object on standard output.
pub(crate) fn finish(result: Result<(), Failure>, json: bool) -> Exit {
    let Err(failure) = result else { return Exit::Done };
    if let Failure::Output(error) = &failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // Whoever read this has seen enough.
            return Exit::Done;
        }
        tell(&failure);
        return Exit::Failed;
    }
    if !json {
        tell(&failure);
    } else if let Err(error) = output::json(&Outcome::from(&failure))
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        tell(&failure);
        tell(&Failure::Output(error));
    }
    Exit::from(&failure)
}

fn tell(failure: &Failure) {
    let message = terminal_text::escape(&Chain(failure).to_string());
    output::note(&format!("{BAD}{BOLD}usagectl:{BOLD:#}{BAD:#} {message}"));
    if let Some(advice) = advice(failure) {
        output::note(&format!("  {DIM}{advice}{DIM:#}"));
    }
}

/// What there is to know before the next attempt.
fn advice(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::Transport(error) | Failure::ThroughProxy(error) if error.may_have_been_sent() => {
            Some("the report may have arrived all the same: saved again, it may count twice")
        }
        Failure::ThroughProxy(error) if is_unreached(error) => Some(
            "nothing was sent; HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names the proxy, and NO_PROXY \
             the hosts to reach without it",
        ),
        Failure::Transport(error) if is_unreached(error) => {
            Some("nothing was sent; --url or USAGE_URL says where the API is")
        }
        Failure::Transport(_) | Failure::ThroughProxy(_) => Some("nothing was sent"),
        Failure::Response(error) if error.is_retryable() => {
            Some("nothing is wrong with the report: try again later")
        }
        _ => None,
    }
}

/// There was no connection; a deadline that passes before anything is sent does not tell another
/// story.
fn is_unreached(error: &TransportError) -> bool {
    matches!(error.kind(), TransportErrorKind::Connect | TransportErrorKind::Timeout)
}

/// Whether an error in the arguments is to be an object: they could not be read.
fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// Answers a request for help, or says what is wrong with the arguments.
pub(crate) fn explain(error: &clap::Error, json: bool) -> Exit {
    let asked = !error.use_stderr();
    let printed = if json && !asked {
        output::json(&Outcome::Usage { message: first_paragraph(error) })
    } else {
        print(error)
    };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            tell(&Failure::Output(error));
            Exit::Failed
        }
        _ if asked => Exit::Done,
        _ => Exit::Usage,
    }
}

/// As clap prints it, in colours, unless it repeats an argument with something in it that a terminal
/// might obey, or that may be secret.
fn print(error: &clap::Error) -> io::Result<()> {
    let rendered = error.render().to_string();
    let text = if error.use_stderr() { hide(&rendered) } else { rendered.clone() };
    if text == rendered && !text.contains(|c| c != '\n' && terminal_text::is_obeyed(c)) {
        return error.print();
    }
    for line in text.trim_end().split('\n') {
        output::note(&terminal_text::escape(line));
    }
    Ok(())
}

/// What clap says before it comes to the usage line, on one line.
fn first_paragraph(error: &clap::Error) -> String {
    let text = hide(&error.render().to_string());
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}
