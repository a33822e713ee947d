//! The arguments, as clap reads them.

mod api_args;
mod database_args;
mod database_command_args;
pub(crate) mod database_name;
mod erase_args;
mod export_args;
mod forget_args;
mod register_args;
mod report_args;
mod save_args;
mod serve_args;
mod settings_args;
mod summary_args;
mod tokens_args;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

pub(crate) use api_args::ApiArgs;
pub(crate) use database_command_args::{DatabaseCommand, DatabaseCommandArgs, MoveArgs};
pub(crate) use erase_args::EraseArgs;
pub(crate) use export_args::{ExportArgs, ExportFormat};
pub(crate) use forget_args::ForgetArgs;
pub(crate) use register_args::RegisterArgs;
pub(crate) use report_args::{ConsentArgs, ReportArgs, StatusArgs};
pub(crate) use save_args::{DeadlineArgs, Kind, PreviewArgs, RequestArgs, SaveArgs};
pub(crate) use serve_args::ServeArgs;
pub(crate) use settings_args::{LogFormat, Settings, Who};
pub(crate) use summary_args::SummaryArgs;
pub(crate) use tokens_args::{TokenChoiceArgs, TokensArgs, TokensCommand};

use crate::command::report::process_group::LEADER;
use crate::{help, help_database, help_serve};

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

// Not on each platform: how large a path is differs.
#[allow(clippy::large_enum_variant, reason = "there is one of them in a process")]
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the API at work: a server, reports, answers and errors
    #[command(long_about = help::DEMO_ABOUT, after_long_help = help::DEMO)]
    Demo(DemoArgs),
    #[command(about = help_serve::SUMMARY, long_about = help_serve::ABOUT, after_long_help = help_serve::SERVE)]
    Serve(ServeArgs),
    /// Send a report
    #[command(long_about = help::SAVE_ABOUT, after_long_help = help::SAVE)]
    Save(SaveArgs),
    /// Print the request that save would send, without sending it
    #[command(long_about = help::PREVIEW_ABOUT, after_long_help = help::PREVIEW)]
    Preview(PreviewArgs),
    /// Report usage on a schedule, until a signal comes
    #[command(long_about = help::REPORT_ABOUT, after_long_help = help::REPORT)]
    Report(ReportArgs),
    /// Tell how the reporting goes
    #[command(long_about = help::STATUS_ABOUT, after_long_help = help::STATUS)]
    Status(StatusArgs),
    /// Ask an API to erase what a state has reported
    #[command(long_about = help::FORGET_ABOUT, after_long_help = help::FORGET)]
    Forget(ForgetArgs),
    /// Register a customer in a browser, and keep the token
    #[command(long_about = help::REGISTER_ABOUT, after_long_help = help::REGISTER)]
    Register(RegisterArgs),
    /// Make, show, end and replace the tokens of a database
    #[command(long_about = help_database::TOKENS_ABOUT, after_long_help = help_database::TOKENS)]
    Tokens(TokensArgs),
    /// Write the reports of a database as lines
    #[command(long_about = help_database::EXPORT_ABOUT, after_long_help = help_database::EXPORT)]
    Export(ExportArgs),
    /// Erase reports from a database
    #[command(long_about = help_database::ERASE_ABOUT, after_long_help = help_database::ERASE)]
    Erase(EraseArgs),
    /// Tell who reported since when, and with what
    #[command(long_about = help_database::SUMMARY_ABOUT, after_long_help = help_database::SUMMARY)]
    Summary(SummaryArgs),
    /// Copy a database, or move it to another
    #[command(long_about = help_database::DATABASE_ABOUT, after_long_help = help_database::DATABASE)]
    Database(DatabaseCommandArgs),
    /// What `report` starts beside COMMAND.
    #[command(name = LEADER, hide = true)]
    LeadProcessGroup,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Taken so that it can be refused with the reason: all other commands have it.
    #[arg(long, hide = true)]
    json: bool,
}

impl DemoArgs {
    fn check(&self) -> Result<(), &'static str> {
        if self.json {
            return Err("the demo is for people, and has no --json: save, preview and the other \
                        commands have it");
        }
        Ok(())
    }
}

impl Cli {
    /// Reads the arguments. An error of clap's is a request for help, too.
    pub(crate) fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(arguments)?;
        let (name, checked) = match &cli.command {
            Command::Save(args) => ("save", args.request.check()),
            Command::Preview(args) => ("preview", args.request.check()),
            Command::Report(args) => ("report", args.check()),
            Command::Forget(args) => ("forget", args.check()),
            Command::Demo(args) => ("demo", args.check()),
            Command::Serve(_)
            | Command::Register(_)
            | Command::Status(_)
            | Command::Tokens(_)
            | Command::Export(_)
            | Command::Erase(_)
            | Command::Summary(_)
            | Command::Database(_)
            | Command::LeadProcessGroup => {
                return Ok(cli);
            }
        };
        checked.map_err(|message| usage_error(name, message))?;
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
