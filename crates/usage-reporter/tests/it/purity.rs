//! The schedule stays without IO: with no feature on, nothing that could do any is linked.

use std::collections::BTreeSet;

/// What stands behind the schedule and not behind `usage-proto`. Before a name is added here, look
/// into that crate for a clock, a file, a socket, a thread or a source of randomness.
const BEHIND: [&str; 4] = [
    "cfg-if",
    "chacha20",
    // Asks the processor what it can do, once, and remembers.
    "cpufeatures",
    "rand_core",
];

/// Linked by `cpufeatures` on processors for which `chacha20` does not ask it.
const ON_OTHER_TARGETS: [&str; 1] = ["libc"];

#[test]
fn nothing_but_pure_code_stands_behind_the_schedule() {
    let mut found = tree("usage-reporter");
    for name in tree("usage-proto").iter().map(String::as_str).chain(ON_OTHER_TARGETS) {
        found.remove(name);
    }
    let expected: BTreeSet<_> =
        BEHIND.into_iter().chain(["usage-reporter"]).map(str::to_owned).collect();
    assert_eq!(found, expected);
}

/// The names in a crate's dependency tree, its own included. Procedural macros run in the compiler.
#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "asks cargo")]
fn tree(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = std::process::Command::new(cargo)
        .args(["tree", "--package", package, "--no-default-features", "--frozen"])
        .args(["--prefix", "none", "--edges", "normal,no-proc-macro", "--target", "all"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}
