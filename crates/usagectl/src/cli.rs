//! The arguments, as clap reads them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use usage_server::{FailRule, Faults, InvalidFault};

use crate::transport::TransportName;
use crate::{api, duration, help, token};

/// Where `serve` listens, and so where `save` looks for an API, unless told otherwise.
pub(crate) const LOCAL: &str = "127.0.0.1:7086";

/// Report to a Usage API, see what would be reported, or be such an API.
#[derive(Debug, Parser)]
#[command(name = "usagectl", version, after_help = help::ROOT)]
pub(crate) struct Cli {
    /// Print one JSON object instead of text, for errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the API at work: a server, reports, answers and errors
    #[command(long_about = help::DEMO_ABOUT, after_long_help = help::DEMO)]
    Demo(DemoArgs),
    #[command(about = help::SERVE_SUMMARY, long_about = help::SERVE_ABOUT, after_long_help = help::SERVE)]
    Serve(ServeArgs),
    /// Send a report
    #[command(long_about = help::SAVE_ABOUT, after_long_help = help::SAVE)]
    Save(SaveArgs),
    /// Print the request that save would send, without sending it
    #[command(long_about = help::PREVIEW_ABOUT, after_long_help = help::PREVIEW)]
    Preview(PreviewArgs),
    /// Print the address at which a customer registers
    #[command(long_about = help::REGISTER_ABOUT, after_long_help = help::REGISTER)]
    Register(RegisterArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// HTTP library that carries the requests; the outcome is the same with each
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub(crate) transport: TransportName,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on; with port 0 a free one is chosen
    #[arg(long, value_name = "ADDR", default_value = LOCAL, value_parser = address)]
    pub(crate) listen: String,

    #[arg(
        help = "SQLite file, created if it is not there",
        long,
        value_name = "FILE",
        default_value = "usage.db"
    )]
    pub(crate) database: PathBuf,

    /// Make a token for this organisation and print it; it cannot be read again later
    #[arg(long, value_name = "ORGANISATION", value_parser = not_blank)]
    pub(crate) create_token: Option<String>,

    /// Answer reports with this status and store nothing: the first COUNT ones, or all
    #[arg(long, value_name = "STATUS[:COUNT]", help_heading = "Faults")]
    pub(crate) fail: Option<FailRule>,

    /// Wait before each answer, such as 200ms or 1.5 (seconds)
    #[arg(long, value_name = "TIME", value_parser = duration::any, help_heading = "Faults")]
    pub(crate) delay: Option<Duration>,

    /// Answer reports with 307 and this Location, and store nothing
    #[arg(long, value_name = "URL", value_parser = redirect, help_heading = "Faults")]
    pub(crate) redirect: Option<String>,

    /// Send this Retry-After with failures and redirects
    #[arg(
        long,
        value_name = "SECONDS|DATE",
        value_parser = retry_after,
        help_heading = "Faults",
    )]
    pub(crate) retry_after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SaveArgs {
    #[command(flatten)]
    pub(crate) report: ReportArgs,

    /// Give up after this time in all, such as 10 (seconds) or 500ms
    #[arg(long, value_name = "TIME", value_parser = duration::not_zero, default_value = "60s")]
    pub(crate) timeout: Duration,

    /// Give up if there is no connection after this time
    #[arg(long, value_name = "TIME", value_parser = duration::not_zero, default_value = "30s")]
    pub(crate) connect_timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    pub(crate) report: ReportArgs,

    #[arg(help = "Print the token instead of [redacted]", long)]
    pub(crate) show_token: bool,
}

/// What `save` and `preview` have in common: everything that the request depends on.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// What to report
    #[arg(value_enum)]
    pub(crate) kind: Kind,

    /// JSON body of the report, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Product that reports; needed for stats and usage, a server names it in its file
    #[arg(
        long,
        value_name = "PRODUCT",
        required_if_eq_any([("kind", "stats"), ("kind", "usage")]),
    )]
    pub(crate) product: Option<String>,

    #[arg(
        help = "Address of the API [default: USAGE_URL; without a token, http://127.0.0.1:7086]",
        long,
        value_name = "URL"
    )]
    pub(crate) url: Option<String>,

    #[arg(
        help = "File that holds the token, or - for standard input [default: take USAGE_TOKEN]",
        long,
        value_name = "FILE"
    )]
    pub(crate) token_file: Option<PathBuf>,

    /// Let the token travel over plain http to another machine, readable on the way
    #[arg(long)]
    pub(crate) allow_plaintext_token: bool,

    /// Application to name in User-Agent
    #[arg(
        long,
        value_name = "NAME/VERSION",
        default_value = concat!("usagectl/", env!("CARGO_PKG_VERSION")),
    )]
    pub(crate) application: String,

    /// HTTP library that carries the request; the outcome is the same with each
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub(crate) transport: TransportName,

    /// Taken so that it can be refused with the reason, and never be repeated by clap.
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "")]
    token: Option<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A server that has started: POST /api/v1/servers
    Server,
    /// Statistics of a product: POST /api/v1/stats/PRODUCT
    Stats,
    /// Anonymous usage: POST /api/v1/usage/PRODUCT
    Usage,
}

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// Print the address, alone on one line
    #[arg(long, required = true)]
    pub(crate) print: bool,

    /// Cluster that the customer registers
    #[arg(long, value_name = "ID")]
    pub(crate) cluster_id: String,

    /// Product that the customer registers
    #[arg(long, value_name = "PRODUCT")]
    pub(crate) product: String,

    /// Where the browser goes afterwards, with the token in its query
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_url: Option<String>,

    #[arg(
        help = "Address of the API [default: USAGE_URL, or else https://usage.influxdata.com]",
        long,
        value_name = "URL"
    )]
    pub(crate) url: Option<String>,
}

impl Cli {
    /// Reads the arguments. An error of clap's is a request for help, too.
    pub(crate) fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(arguments)?;
        let (name, report) = match &cli.command {
            Command::Save(args) => ("save", &args.report),
            Command::Preview(args) => ("preview", &args.report),
            Command::Demo(_) | Command::Serve(_) | Command::Register(_) => return Ok(cli),
        };
        if report.token.is_some() {
            return Err(usage_error(
                name,
                "a token is never an argument, since every user of the machine can read those: \
                 use --token-file or USAGE_TOKEN",
            ));
        }
        let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
        if is_stdin(&report.file) && report.token_file.as_ref().is_some_and(is_stdin) {
            return Err(usage_error(
                name,
                "the report and the token cannot both come from standard input",
            ));
        }
        let named = api::is_named(report.url.as_deref());
        if !named && token::is_given(report.token_file.as_deref()) {
            return Err(usage_error(
                name,
                "there is a token, and neither --url nor USAGE_URL says which API it is for: any \
                 user of this machine may be listening at the default address",
            ));
        }
        Ok(cli)
    }
}

fn usage_error(command: &str, message: &str) -> clap::Error {
    let mut root = Cli::command();
    // Gives the subcommand its full name for the usage line.
    root.build();
    match root.find_subcommand_mut(command) {
        Some(command) => command.error(ErrorKind::ArgumentConflict, message),
        None => root.error(ErrorKind::ArgumentConflict, message),
    }
}

/// A name is looked up later; here it is about the form.
fn address(text: &str) -> Result<String, &'static str> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err("write an address and a port, such as 127.0.0.1:7086 or [::1]:7086"),
    }
}

fn not_blank(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("the name is blank"),
        name => Ok(name.to_owned()),
    }
}

fn redirect(text: &str) -> Result<String, InvalidFault> {
    Faults::new().redirect(Some(text)).map(|()| text.to_owned())
}

fn retry_after(text: &str) -> Result<String, InvalidFault> {
    Faults::new().retry_after(Some(text)).map(|()| text.to_owned())
}
