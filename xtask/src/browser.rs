//! A real browser for the tests of registration: Debian's Chromium, installed where there is none.

use std::process::Stdio;

use crate::command::{program, run};
use crate::runner::Readiness;

/// Each program that is needed, by the names that it may have, as `testkit::webdriver` looks for them.
const NEEDED: [&[&str]; 2] =
    [&["chromedriver"], &["chromium", "chromium-browser", "google-chrome"]];

/// Debian's packages with these programs.
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// For an installation, in seconds. It is some hundred megabytes, and a mirror may hang.
const LIMIT: &str = "900";

/// Sees to it that there is a browser. Where none is to be had, that is not an error, and it is shown.
pub(crate) fn prepare() -> Result<Readiness, String> {
    if is_there() {
        return Ok(Readiness::Ready);
    }
    if let Err(reason) = install() {
        println!("NO BROWSER: {reason}");
        return Ok(Readiness::Missing("no Chromium is to be had here"));
    }
    if is_there() { Ok(Readiness::Ready) } else { Err(format!("{PACKAGES:?} bring no browser")) }
}

fn is_there() -> bool {
    NEEDED.iter().all(|names| names.iter().any(|name| answers(name, "--version")))
}

/// Whether there is a program that takes this argument.
fn answers(name: &str, argument: &str) -> bool {
    let mut command = program(name);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn install() -> Result<(), String> {
    if !answers("apt-get", "--version") {
        return Err("there is no apt-get to install Chromium and its driver with".to_owned());
    }
    let is_root = is_root();
    if !is_root && !answers("sudo", "-nv") {
        return Err("only root may install Chromium, and sudo asks for a password".to_owned());
    }
    let apt_get = |arguments: &[&str]| {
        let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "timeout", LIMIT, "apt-get"];
        if !is_root {
            words.splice(0..0, ["sudo", "-n"]);
        }
        let mut command = program(words.remove(0));
        command.args(words).args(arguments).stdin(Stdio::null());
        run(command)
    };
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], &PACKAGES[..]].concat())
}

fn is_root() -> bool {
    let output = program("id").arg("-u").stderr(Stdio::null()).output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::answers;

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(!answers("there-is-no-such-browser", "--version"));
        assert!(answers(env!("CARGO"), "--version"));
    }
}
