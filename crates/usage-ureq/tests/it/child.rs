//! Tests that need an environment of their own run once more, alone in a child process.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

const MARK: &str = "USAGE_UREQ_TEST_CHILD";

/// Whether this is the child.
pub(crate) fn is_here() -> bool {
    env::var_os(MARK).is_some()
}

/// Runs the test of this name, as `cargo test` lists it, with these variables added.
pub(crate) fn run(test: &str, variables: &[(&str, &str)]) {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| (*name, OsStr::new(value))).collect();
    run_with(test, &variables);
}

/// The same with variables that need not be text.
pub(crate) fn run_with(test: &str, variables: &[(&str, &OsStr)]) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, "1");
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_ascii_uppercase());
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the child failed:\n{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "no test is called {test}:\n{stdout}");
}
