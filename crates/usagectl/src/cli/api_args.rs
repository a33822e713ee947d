//! The arguments that say which API is meant, and how it is reached.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::{reach, token_file};

/// What all commands that report have in common.
#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
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

    /// Taken so that it can be refused with the reason, and never be repeated by clap.
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "")]
    token: Option<OsString>,
}

impl ApiArgs {
    /// What clap cannot see is wrong with them. `inputs` are the other files that are read.
    pub(crate) fn check(&self, inputs: &[&PathBuf]) -> Result<(), &'static str> {
        if self.token.is_some() {
            return Err("a token is never an argument, since every user of the machine can read \
                        those: use --token-file or USAGE_TOKEN");
        }
        let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
        if self.token_file.as_ref().is_some_and(is_stdin)
            && inputs.iter().any(|path| is_stdin(path))
        {
            return Err("the report and the token cannot both come from standard input");
        }
        let named = reach::is_named(self.url.as_deref());
        if !named && token_file::is_given(self.token_file.as_deref()) {
            return Err("there is a token, and neither --url nor USAGE_URL says which API it is \
                        for: any user of this machine may be listening at the default address");
        }
        Ok(())
    }
}
