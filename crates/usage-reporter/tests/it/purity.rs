//! The schedule stays without IO: with no feature on, nothing that could do any is linked.

use std::collections::BTreeSet;

use testkit::dependencies::behind;

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
    let mut found = behind("usage-reporter", &[]);
    for name in behind("usage-proto", &[]).iter().map(String::as_str).chain(ON_OTHER_TARGETS) {
        found.remove(name);
    }
    let expected: BTreeSet<_> =
        BEHIND.into_iter().chain(["usage-reporter"]).map(str::to_owned).collect();
    assert_eq!(found, expected);
}
