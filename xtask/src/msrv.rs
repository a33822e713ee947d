//! The workspace builds with the Rust that it promises.
//!
//! The compiler of that release is asked where rustup has it. What is asked everywhere: no package
//! behind us names a newer one, on any platform. And clippy's `incompatible_msrv`, which is on by
//! default, reads the same `rust-version`.

use std::process::Stdio;

use crate::command::{metadata, program, run, target_directory};
use crate::runner::Note;

/// What the root's `rust-version` says.
const PROMISED: &str = env!("CARGO_PKG_RUST_VERSION");

pub(crate) fn msrv() -> Result<Note, String> {
    nothing_asks_for_more()?;
    let Some(toolchain) = toolchain() else {
        println!(
            "NOT BUILT with Rust {PROMISED}: rustup has no such toolchain here. \
             `rustup toolchain install {PROMISED} --profile minimal` brings it."
        );
        return Ok("(not built with that Rust: rustup does not have it)");
    };
    // In a folder of its own, so that the other steps find what they built.
    let target = target_directory()?.join("msrv");
    let mut command = program("rustup");
    command.args([
        "run",
        &toolchain,
        "cargo",
        "check",
        "--workspace",
        "--all-features",
        "--locked",
    ]);
    command.arg("--target-dir").arg(target);
    run(command)?;
    Ok("(built with that Rust)")
}

/// The name that rustup has for the release, if it has it: `1.89-x86_64-unknown-linux-gnu`.
fn toolchain() -> Option<String> {
    let mut command = program("rustup");
    let output = command.args(["toolchain", "list"]).stderr(Stdio::null()).output().ok()?;
    of_the_release(&String::from_utf8_lossy(&output.stdout), PROMISED)
}

/// `1.89-…` or `1.89.0-…`, which is the promise to the letter; a later patch is another release.
fn of_the_release(list: &str, promised: &str) -> Option<String> {
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    let mut found = names.filter(|name| {
        let release = name.strip_prefix(promised).unwrap_or_default();
        release.starts_with('-') || release.starts_with(".0-")
    });
    found.next().map(str::to_owned)
}

fn nothing_asks_for_more() -> Result<(), String> {
    let metadata = metadata("--all-features")?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let promised = release(PROMISED);
    let mut silent = 0;
    let mut newer = Vec::new();
    for package in packages {
        let Some(asked) = package["rust_version"].as_str() else {
            silent += 1;
            continue;
        };
        if release(asked) > promised {
            newer.push(format!("\n  {} {} asks for {asked}", package["name"], package["version"]));
        }
    }
    println!(
        "{} packages, for all platforms and features; {silent} of them name no rust-version",
        packages.len()
    );
    if newer.is_empty() {
        Ok(())
    } else {
        Err(format!("newer than Rust {PROMISED}, which is promised:{}", newer.concat()))
    }
}

/// `1.89` or `1.89.1`, as numbers. Cargo lets nothing else into a manifest.
fn release(text: &str) -> [u64; 3] {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(u64::MAX));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{of_the_release, release};

    #[test]
    fn releases_are_ordered_by_number() {
        assert_eq!(release("1.89"), release("1.89.0"));
        assert!(release("1.100") > release("1.89.2"));
        assert!(release("1.89.1") > release("1.89"));
    }

    #[test]
    fn only_the_promised_release_is_taken() {
        let list = "stable-x (active, default)\n1.89.1-x\n1.8-x\n1.89-x\n";
        assert_eq!(of_the_release(list, "1.89").as_deref(), Some("1.89-x"));
        assert_eq!(of_the_release("1.89.0-x\n", "1.89").as_deref(), Some("1.89.0-x"));
        assert_eq!(of_the_release("stable-x\n1.95.0-x\n", "1.89"), None);
        assert_eq!(of_the_release("no installed toolchains\n", "1.89"), None);
    }
}
