//! Calls cargo and other programs from the root of the workspace.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::tool::TOOLS;

/// The root of the workspace: the folder above this package.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The cargo that runs this program, in the root of the workspace.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Any program, in the root of the workspace.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    // `cargo run` describes this package to us in variables. Build scripts that watch them (ring's
    // does) would run again, and their crates build again, after each change between a plain
    // `cargo test` and ours.
    for (variable, _) in env::vars_os() {
        if variable.to_str().is_some_and(describes_this_package) {
            command.env_remove(variable);
        }
    }
    command
}

fn describes_this_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
        || matches!(variable, "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE")
}

/// What a line says: variables, then `cargo` and its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words<'a> {
    variables: Vec<(&'a str, &'a str)>,
    arguments: Vec<&'a str>,
}

/// Reads `NAME=value NAME?=value cargo argument …`; no word has a space in it.
pub(crate) fn words(line: &str) -> Option<Words<'_>> {
    let mut words = line.split_whitespace();
    let mut variables = Vec::new();
    for word in words.by_ref() {
        if word == "cargo" {
            return Some(Words { variables, arguments: words.collect() });
        }
        variables.push(word.split_once('=')?);
    }
    None
}

/// The command that a line of the table describes. A tool that it calls is installed if need be. As
/// in a makefile, `NAME?=value` is for an environment that has no `NAME`.
pub(crate) fn line(line: &str) -> Result<Command, String> {
    let Words { variables, arguments } =
        words(line).ok_or_else(|| format!("`{line}` is not a command line of cargo"))?;
    let (subcommand, arguments) = arguments.split_first().ok_or("cargo is called for nothing")?;
    let mut command = match TOOLS.iter().find(|tool| tool.subcommand == *subcommand) {
        Some(tool) => tool.command()?,
        None => cargo([subcommand]),
    };
    command.args(arguments);
    for (name, value) in variables {
        match name.strip_suffix('?') {
            None => _ = command.env(name, value),
            Some(name) if env::var_os(name).is_none() => _ = command.env(name, value),
            Some(_) => {}
        }
    }
    Ok(command)
}

/// Prints the command, runs it with the terminal as its own, and fails if it does.
pub(crate) fn run(mut command: Command) -> Result<(), String> {
    println!("$ {}", show(&command));
    let status = command.status().map_err(|error| not_started(&command, &error))?;
    judge(&command, status)
}

/// Like [`run`], and hands each line of standard output to `line` after printing it.
pub(crate) fn run_and_read(mut command: Command, mut line: impl FnMut(&str)) -> Result<(), String> {
    println!("$ {}", show(&command));
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started(&command, &error))?;
    let lost = |error| format!("cannot follow {}: {error}", show(&command));
    if let Some(output) = child.stdout.take() {
        // Bytes, not `lines()`: a test may print what is not UTF-8.
        for text in BufReader::new(output).split(b'\n') {
            let text = text.map_err(lost)?;
            let text = String::from_utf8_lossy(&text);
            println!("{text}");
            line(&text);
        }
    }
    let status = child.wait().map_err(lost)?;
    judge(&command, status)
}

/// What `cargo metadata` says of the whole graph, or with `--no-deps` of the members alone, for
/// which nothing is downloaded.
pub(crate) fn metadata(option: &str) -> Result<Value, String> {
    let mut command = cargo(["metadata", "--format-version", "1", "--locked", option]);
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| not_started(&command, &error))?;
    judge(&command, output.status)?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{} did not print JSON: {error}", show(&command)))
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf, String> {
    let metadata = metadata("--no-deps")?;
    let path = metadata["target_directory"].as_str();
    path.map(PathBuf::from).ok_or_else(|| "cargo metadata names no target directory".to_owned())
}

fn judge(command: &Command, status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("{} ({status})", show(command))) }
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start {}: {error}", show(command))
}

/// The command as one would type it, with the variables that were set for it.
pub(crate) fn show(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.display(), value.display()));
        }
    }
    let name = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    words.push(name.to_string_lossy().into_owned());
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Words, describes_this_package, line, root, show, words};

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[test]
    fn a_command_is_shown_as_it_stands_in_the_table() {
        let text = "RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps";
        assert_eq!(show(&line(text).unwrap()), text);
    }

    #[test]
    fn a_variable_of_the_environment_comes_before_a_default() {
        assert_eq!(show(&line("NO_SUCH_NAME?=1 cargo doc").unwrap()), "NO_SUCH_NAME=1 cargo doc");
        assert_eq!(show(&line("PATH?=1 cargo doc").unwrap()), "cargo doc");
    }

    #[test]
    fn only_cargo_is_called() {
        let expected = Words { variables: vec![("A", "b=c")], arguments: vec!["doc", "--x=y"] };
        assert_eq!(words("A=b=c cargo doc --x=y"), Some(expected));
        for wrong in ["", "A=b", "make cargo"] {
            assert_eq!(words(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_what_describes_this_package_is_hidden() {
        assert!(describes_this_package("CARGO_PKG_NAME"));
        assert!(describes_this_package("CARGO_MANIFEST_DIR"));
        assert!(!describes_this_package("CARGO_HOME"));
        assert!(!describes_this_package("CARGO_TARGET_DIR"));
    }
}
