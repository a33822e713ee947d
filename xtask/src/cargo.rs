//! Calls cargo and other programs from the root of the workspace.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;

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

/// Prints the command, runs it with the terminal as its own, and fails if it does.
pub(crate) fn run(mut command: Command) -> Result<(), Failure> {
    announce(&command);
    let status = command.status().map_err(|error| not_started(&command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{} ({status})", show(&command))))
    }
}

/// Like [`run`], and hands each line of standard output to `line` after printing it.
pub(crate) fn run_and_read(
    mut command: Command,
    mut line: impl FnMut(&str),
) -> Result<(), Failure> {
    announce(&command);
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started(&command, &error))?;
    if let Some(output) = child.stdout.take() {
        // Bytes, not `lines()`: a test may print what is not UTF-8.
        for text in BufReader::new(output).split(b'\n') {
            let text = text.map_err(|error| unreadable(&command, &error))?;
            let text = String::from_utf8_lossy(&text);
            println!("{text}");
            line(&text);
        }
    }
    let status = child.wait().map_err(|error| unreadable(&command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{} ({status})", show(&command))))
    }
}

/// Runs a command quietly and returns its standard output; errors still reach the terminal.
pub(crate) fn capture(mut command: Command) -> Result<Vec<u8>, Failure> {
    command.stderr(Stdio::inherit());
    let output = command.output().map_err(|error| not_started(&command, &error))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failure::new(format!("{} ({})", show(&command), output.status)))
    }
}

fn describes_this_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
        || matches!(variable, "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE")
}

fn announce(command: &Command) {
    println!("$ {}", show(command));
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot start {}: {error}", show(command)))
}

fn unreadable(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot follow {}: {error}", show(command)))
}

/// The command as one would type it, with the variables that were set for it.
fn show(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.display(), quote(value)));
        }
    }
    let name = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    words.push(name.to_string_lossy().into_owned());
    words.extend(command.get_args().map(quote));
    words.join(" ")
}

fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains(char::is_whitespace) {
        format!("'{word}'")
    } else {
        word.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{cargo, describes_this_package, root, show};

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = cargo(["doc", "--no-deps"]);
        command.env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(show(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn only_what_describes_this_package_is_hidden() {
        assert!(describes_this_package("CARGO_PKG_NAME"));
        assert!(describes_this_package("CARGO_MANIFEST_DIR"));
        assert!(!describes_this_package("CARGO_HOME"));
        assert!(!describes_this_package("CARGO_TARGET_DIR"));
    }
}
