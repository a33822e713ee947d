//! `erase`: somebody is forgotten.

use serde::Serialize;

use crate::cli::EraseArgs;
use crate::failure::Failure;
use crate::output;
use crate::plural::counted;

pub(crate) fn run(args: &EraseArgs, json: bool) -> Result<(), Failure> {
    let store = args.database.open()?;
    let (mut reports, mut tokens) = (0, 0);
    for erasure in args.erasures() {
        let erased =
            if args.dry_run { store.count_erasure(&erasure) } else { store.erase(&erasure) };
        let erased = erased.map_err(Failure::server)?;
        reports += erased.reports;
        tokens += erased.tokens;
    }
    let printed = if json {
        let outcome = if args.dry_run { "counted" } else { "erased" };
        output::json(&Done { outcome, reports, tokens })
    } else {
        let done = if args.dry_run { "would be erased" } else { "erased" };
        let reports = counted(reports, "report");
        output::line(&match tokens {
            0 => format!("{done}: {reports}"),
            _ => format!("{done}: {reports}, {}", counted(tokens, "token")),
        })
    };
    printed.map_err(Failure::Output)
}

#[derive(Serialize)]
struct Done {
    outcome: &'static str,
    reports: u64,
    tokens: u64,
}
