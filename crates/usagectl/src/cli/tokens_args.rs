//! The arguments of `tokens`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::database_args::DatabaseArgs;
use super::serve_args::not_blank;
use crate::duration;

#[derive(Debug, Args)]
pub(crate) struct TokensArgs {
    #[command(subcommand)]
    pub(crate) command: TokensCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// Show all tokens but their secrets
    List {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Make a token for an organisation, and print it this once
    Create {
        /// Whose reports will come with it
        #[arg(value_name = "ORGANISATION", value_parser = not_blank)]
        organisation: String,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// End a token: what comes with it is refused within ten seconds
    Revoke {
        #[command(flatten)]
        choice: TokenChoiceArgs,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Put a new token, printed this once, in the place of another
    Rotate {
        /// Id of the token to replace, as the list shows it
        #[arg(value_name = "ID")]
        id: i64,

        /// How long the old one counts beside the new one
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration::any)]
        overlap: Duration,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Remove an organisation: its tokens end, and its reports stay
    Remove {
        /// Its name, as the list shows it
        #[arg(value_name = "ORGANISATION", value_parser = not_blank)]
        organisation: String,

        #[command(flatten)]
        database: DatabaseArgs,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TokenChoiceArgs {
    /// Id of a token, as the list shows it
    #[arg(value_name = "ID")]
    pub(crate) id: Option<i64>,

    /// All tokens of this organisation
    #[arg(long, value_name = "ORGANISATION", value_parser = not_blank)]
    pub(crate) organisation: Option<String>,

    /// The token in this file, `-` for standard input, for one that has leaked
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}
