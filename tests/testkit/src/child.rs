//! Tests that need an environment of their own run once more, alone in a child process.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

const MARK: &str = "USAGE_TESTS_CHILD";

/// Whether this is the child.
#[must_use]
pub fn is_here() -> bool {
    env::var_os(MARK).is_some()
}

/// This program once more, in an environment that names no proxy.
///
/// # Panics
///
/// If the system does not say which program this is.
#[must_use]
pub fn command() -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_ascii_uppercase());
    }
    // A resolver that answers nothing costs a second, not ten.
    command.env("RES_OPTIONS", "timeout:1 attempts:1");
    command
}

/// Runs the test of this name, as `cargo test` lists it, with these variables added.
///
/// # Panics
///
/// If it fails, or if there is no such test.
pub fn run(test: &str, variables: &[(&str, &dyn AsRef<OsStr>)]) {
    let mut command = command();
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, "1");
    command.envs(variables.iter().map(|(name, value)| (name, value.as_ref())));
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the child failed:\n{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "no test is called {test}:\n{stdout}");
}
