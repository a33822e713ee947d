//! `database`: copied, or moved to another.

use std::path::Path;

use serde::Serialize;
use usage_server::{Moved, Store};

use crate::cli::{DatabaseCommand, DatabaseCommandArgs, MoveArgs, database_name};
use crate::failure::Failure;
use crate::plural::counted;
use crate::{output, terminal_text};

pub(crate) fn run(args: &DatabaseCommandArgs, json: bool) -> Result<(), Failure> {
    match &args.command {
        DatabaseCommand::Backup { to, database } => {
            database_name::file(to)?;
            let bytes = database.open()?.backup(to).map_err(Failure::server)?;
            tell(to, bytes, json)
        }
        DatabaseCommand::Move(args) => move_all(args, json),
    }
}

fn move_all(args: &MoveArgs, json: bool) -> Result<(), Failure> {
    let from = Store::open_existing(&args.from()?).map_err(Failure::server)?;
    let to = Store::open(&args.to()?).map_err(Failure::server)?;
    if from.path() == to.path() {
        return Err(Failure::Build {
            message: "a database cannot be moved to itself: name another one with --to".to_owned(),
            field: Some("to".to_owned()),
            source: None,
        });
    }
    let Moved { reports, before, tokens, .. } = from.move_to(&to).map_err(Failure::server)?;
    let printed = if json {
        output::json(&MovedAll { outcome: "moved", reports, before, tokens })
    } else {
        output::line(&format!(
            "moved: {}, {before} were there before; {} there",
            counted(reports, "report"),
            counted(tokens, "token")
        ))
    };
    printed.map_err(Failure::Output)
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
struct MovedAll {
    outcome: &'static str,
    reports: u64,
    before: u64,
    tokens: u64,
}

#[derive(Serialize)]
struct Copied<'a> {
    outcome: &'static str,
    file: &'a str,
    bytes: u64,
}
