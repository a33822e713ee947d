//! `database`: copies of it.

use std::path::Path;

use serde::Serialize;

use crate::cli::{DatabaseCommand, DatabaseCommandArgs};
use crate::failure::Failure;
use crate::{output, terminal_text};

pub(crate) fn run(args: &DatabaseCommandArgs, json: bool) -> Result<(), Failure> {
    match &args.command {
        DatabaseCommand::Backup { to, database } => {
            let bytes = database.open()?.backup(to).map_err(Failure::server)?;
            tell(to, bytes, json)
        }
    }
}

fn tell(to: &Path, bytes: u64, json: bool) -> Result<(), Failure> {
    let file = to.display().to_string();
    let printed = if json {
        output::json(&Copied { outcome: "copied", file: &file, bytes })
    } else {
        output::line(&terminal_text::escape(&format!("copied into {file}: {bytes} bytes")))
    };
    printed.map_err(Failure::Output)
}

#[derive(Serialize)]
struct Copied<'a> {
    outcome: &'static str,
    file: &'a str,
    bytes: u64,
}
