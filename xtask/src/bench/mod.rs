//! Runs the benches, prints what they measured as one table, and writes it down.

mod document;
mod footprint;
mod plot;
mod row;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use self::row::Row;
use crate::command::{cargo, root, show};

/// A bench, and how it is called.
struct Bench {
    package: &'static str,
    name: &'static str,
    /// What cargo is told besides.
    features: &'static [&'static str],
    /// Which of our options it takes.
    takes: &'static [&'static str],
}

const fn bench_of(package: &'static str, name: &'static str) -> Bench {
    Bench { package, name, features: &[], takes: &[] }
}

const ALL: &[&str] = &["--all-features"];

const BENCHES: &[Bench] = &[
    bench_of("usage-proto", "encode"),
    bench_of("usage-proto", "answers"),
    Bench { features: ALL, ..bench_of("usage-reporter", "idle") },
    Bench { features: ALL, ..bench_of("usage-reporter", "driver") },
    Bench { takes: &[BESIDE], ..bench_of("usage-ureq", "saves") },
    Bench { takes: &[BESIDE], ..bench_of("usage-reqwest", "saves") },
    Bench { takes: &[BESIDE], ..bench_of("usage-hyper", "saves") },
    Bench { features: ALL, takes: &[REPORTS], ..bench_of("usage-server", "reports") },
];

/// Another client's program, `NAME=/PATH/OF/PROGRAM`: cargo runs each bench in the folder of its package.
const BESIDE: &str = "--beside";

/// How many reports the server has taken before its memory and its file are looked at.
const REPORTS: &str = "--reports";

/// The plot, below the table.
const PICTURE: &str = "![Saves a second](saves.svg)";

/// What to do with the figures, and what the benches are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    json: bool,
    write: bool,
    /// Options of a bench, with their values.
    passed: Vec<(&'static str, String)>,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut passed = |name, is_right: fn(&str) -> bool, form| {
                let value = arguments.next().filter(|value| is_right(value));
                let value =
                    value.ok_or_else(|| format!("after `{name}` there has to be {form}"))?;
                options.passed.push((name, value.clone()));
                Ok::<(), String>(())
            };
            match argument.as_str() {
                "--json" => options.json = true,
                "--write" => options.write = true,
                BESIDE => passed(BESIDE, names_a_program, "NAME=/PATH/OF/PROGRAM")?,
                REPORTS => passed(REPORTS, |value| value.parse::<u32>().is_ok(), "a number")?,
                other => return Err(format!("`bench` has no option `{other}`")),
            }
        }
        Ok(options)
    }

    /// The command as one would type it. Where a program is on this machine is nobody else's.
    fn command(&self) -> String {
        let mut words = vec!["cargo xtask bench --write".to_owned()];
        for (name, value) in &self.passed {
            let value =
                value.split_once('=').map_or(value.clone(), |(name, _)| format!("{name}=…"));
            words.push(format!("{name} {value}"));
        }
        words.join(" ")
    }

    /// What a bench is told.
    fn of(&self, bench: &Bench) -> impl Iterator<Item = &str> {
        let taken = self.passed.iter().filter(|(name, _)| bench.takes.contains(name));
        taken.flat_map(|(name, value)| [*name, value])
    }
}

fn names_a_program(value: &str) -> bool {
    value.split_once('=').is_some_and(|(_, program)| Path::new(program).is_absolute())
}

/// Measures everything.
pub(crate) fn bench(options: &Options) -> Result<(), String> {
    let mut rows = Vec::new();
    for bench in BENCHES {
        let Bench { package, name, features, .. } = bench;
        let mut command = cargo(["bench", "--locked", "--package", package, "--bench", name]);
        command.args(*features).args(["--", "--json"]).args(options.of(bench));
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
            &document::machine(&options.command()),
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

fn lost(path: &Path, error: &std::io::Error) -> String {
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
    use super::{BENCHES, Options};

    fn parse(words: &[&str]) -> Result<Options, String> {
        Options::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_known_or_refused() {
        assert_eq!(parse(&["--json"]), Ok(Options { json: true, ..Options::default() }));
        assert!(parse(&["--jsn"]).unwrap_err().contains("--jsn"));
        for wrong in [&["--beside"][..], &["--beside", "go=bin/go"], &["--reports", "many"]] {
            assert!(parse(wrong).unwrap_err().contains(wrong[0]), "{wrong:?}");
        }
    }

    #[test]
    fn a_bench_is_told_what_it_takes() {
        let options = parse(&["--beside", "go=/a/b", "--write", "--reports", "10"]).unwrap();
        let told = |package: &str| {
            let bench = BENCHES.iter().find(|bench| bench.package == package).unwrap();
            options.of(bench).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told("usage-hyper"), "--beside go=/a/b");
        assert_eq!(told("usage-server"), "--reports 10");
        assert_eq!(told("usage-proto"), "");
        // What is written down does not say where a program is.
        assert_eq!(options.command(), "cargo xtask bench --write --beside go=… --reports 10");
    }
}
