//! Runs the benches, prints what they measured as one table, and writes it down.

mod document;
mod footprint;
mod plot;
mod row;

use std::fs;
use std::process::{Command, Stdio};

use self::row::Row;
use crate::command::{cargo, root, show};

/// The package of each bench, its name, and what cargo is told besides.
const BENCHES: &[(&str, &str, &[&str])] = &[
    ("usage-proto", "encode", &[]),
    ("usage-proto", "answers", &[]),
    ("usage-reporter", "idle", &["--all-features"]),
    ("usage-reporter", "driver", &["--all-features"]),
    ("usage-ureq", "saves", &[]),
    ("usage-reqwest", "saves", &[]),
    ("usage-hyper", "saves", &[]),
    ("usage-server", "reports", &[]),
];

/// The plot, below the table.
const PICTURE: &str = "![Saves a second](saves.svg)";

/// What to do with the figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    json: bool,
    write: bool,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--json" => options.json = true,
                "--write" => options.write = true,
                other => return Err(format!("`bench` has no option `{other}`")),
            }
        }
        Ok(options)
    }
}

/// Measures everything.
pub(crate) fn bench(options: Options) -> Result<(), String> {
    let mut rows = Vec::new();
    for (package, name, more) in BENCHES {
        let mut command = cargo(["bench", "--locked", "--package", package, "--bench", name]);
        command.args(*more).args(["--", "--json"]);
        rows.extend(measured(command)?);
    }
    rows.extend(footprint::rows()?);
    if options.json {
        for row in &rows {
            println!("{}", row.as_json());
        }
    } else {
        print!("{}", row::table(&rows));
    }
    if options.write {
        let docs = root().join("docs");
        let page = docs.join("performance.md");
        let text = fs::read_to_string(&page).map_err(|error| lost(&page, &error))?;
        let text = document::with_table(
            &text,
            &format!("{}\n{PICTURE}\n", row::markdown(&rows)),
            &document::machine(),
        )?;
        fs::write(&page, text).map_err(|error| lost(&page, &error))?;
        let picture = docs.join("saves.svg");
        fs::write(&picture, plot::saves(&rows)).map_err(|error| lost(&picture, &error))?;
    }
    Ok(())
}

/// Measures the footprint alone; with `--profile` shows what it is made of.
pub(crate) fn print_footprint(options: &[String]) -> Result<(), String> {
    match options {
        [] => print!("{}", row::table(&footprint::rows()?)),
        [option] if option == "--profile" => print!("{}", footprint::by_crate()?),
        _ => return Err(format!("`footprint` has no option `{}`", options.join(" "))),
    }
    Ok(())
}

fn lost(path: &std::path::Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// The rows that a bench prints; what cargo says goes to standard error.
fn measured(mut command: Command) -> Result<Vec<Row>, String> {
    eprintln!("$ {}", show(&command));
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", show(&command)))?;
    if !output.status.success() {
        return Err(format!("{} ({})", show(&command), output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.starts_with('{')).map(Row::from_json).collect()
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_are_known_or_refused() {
        let parse = |words: &[&str]| {
            Options::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(parse(&["--json"]), Ok(Options { json: true, write: false }));
        assert!(parse(&["--jsn"]).unwrap_err().contains("--jsn"));
    }
}
