//! The workspace is looked at for systems on which CI does not run.
//!
//! The compiler needs the standard library of a target for that, which rustup brings, and no linker.
//! Build scripts of dependencies ask for a C compiler of the target too, whose output nobody uses
//! here: this program stands in for it, and makes empty files.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;

use crate::command::{cargo, program, run, target_directory};
use crate::runner::Note;

const TARGETS: [&str; 2] = ["x86_64-pc-windows-gnu", "x86_64-apple-darwin"];

/// Set where this program stands in for a compiler or an archiver.
const STANDS_IN: &str = "XTASK_STANDS_IN";

pub(crate) fn platforms() -> Result<Note, String> {
    let installed: Vec<_> = TARGETS.into_iter().filter(|target| is_installed(target)).collect();
    for target in TARGETS.into_iter().filter(|target| !installed.contains(target)) {
        println!("NOT LOOKED AT for {target}: `rustup target add {target}` brings what it takes.");
    }
    for target in &installed {
        // All that its users build, without a warning; and the tests, of which some parts are for
        // Linux alone and leave imports behind.
        look("clippy", target, &["--lib", "--bins", "--examples"], &["--", "-D", "warnings"])?;
        look("check", target, &["--all-targets"], &[])?;
    }
    Ok(match installed.len() {
        0 => "(no other platform: rustup has none)",
        length if length < TARGETS.len() => "(not all platforms: rustup does not have them)",
        _ => "",
    })
}

fn look(subcommand: &str, target: &str, of: &[&str], after: &[&str]) -> Result<(), String> {
    let this = env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut command = cargo([subcommand, "--workspace", "--all-features", "--locked"]);
    command.args(of).args(["--target", target]).env(STANDS_IN, "1");
    // In a folder of its own, so that no build takes an empty file for a library.
    command.arg("--target-dir").arg(target_directory()?.join("platforms"));
    for tool in ["CC", "CXX", "AR"] {
        command.env(format!("{tool}_{}", target.replace('-', "_")), &this);
    }
    command.args(after);
    run(command)
}

/// Whether the toolchain that runs this has the standard library of a target.
fn is_installed(target: &str) -> bool {
    let mut command = program(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.args(["--print", "target-libdir", "--target", target]).stderr(Stdio::null());
    // The place where it would be is printed in any case.
    command
        .output()
        .is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

/// Stands in for a compiler or an archiver, if that was asked for.
pub(crate) fn stand_in(arguments: impl Iterator<Item = OsString>) -> Option<io::Result<()>> {
    env::var_os(STANDS_IN)?;
    let arguments: Vec<_> = arguments.collect();
    Some(asked_for(&arguments).map_or(Ok(()), |path| File::create(path).map(drop)))
}

/// The file that a compiler (`-o FILE`) or an archiver (`cq FILE.a …`) is asked for.
fn asked_for(arguments: &[OsString]) -> Option<&OsStr> {
    let behind = arguments.windows(2).find(|two| two[0] == "-o").map(|two| &*two[1]);
    let archive = |argument: &&OsString| {
        Path::new(argument).extension().is_some_and(|extension| extension == "a")
    };
    behind.or_else(|| arguments.iter().find(archive).map(|archive| &**archive))
}

#[cfg(test)]
mod tests {
    use super::asked_for;

    #[test]
    fn what_is_asked_for_is_found() {
        for (line, file) in [
            ("-O0 -o out.o -c in.c", Some("out.o")),
            ("cq lib.a one.o two.o", Some("lib.a")),
            ("s lib.a", Some("lib.a")),
            ("-E in.c", None),
        ] {
            let words: Vec<_> = line.split(' ').map(Into::into).collect();
            assert_eq!(asked_for(&words), file.map(AsRef::as_ref), "{line}");
        }
    }
}
