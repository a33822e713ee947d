//! The table of steps: what each is called, what it checks, and how it runs.

use crate::runner::{How, Step};
use crate::{bench, fuzz, lines, msrv};

/// What `cargo xtask ci` runs, in this order: what fails fast comes first, and each step finds the
/// artefacts of the one before it (clippy's metadata serves `features` and `doc`, the test build
/// serves `doctest` and `host-features`).
pub(crate) const CI: &[Step] = &[
    Step {
        name: "fmt",
        about: "the source is formatted (cargo fmt repairs it)",
        how: How::Lines(&["cargo fmt --all --check"]),
    },
    Step {
        name: "msrv",
        about: "no dependency asks for a newer Rust than ours; a build with it, where it is there",
        how: How::Code(msrv::msrv),
    },
    Step {
        name: "clippy",
        about: "no warning in any target, with all features",
        // After `--`, so that it holds for our crates alone: the same words in RUSTFLAGS would
        // build every dependency again.
        how: How::Lines(&[
            "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings",
        ]),
    },
    Step {
        name: "features",
        about: "each published crate builds alone, with every combination of its features",
        // Each crate by itself, as its users build it: in the workspace another member may turn on
        // a feature of a shared dependency that this one forgot to ask for. Clippy, for the reason
        // given above. `default` only stands for others.
        how: How::Lines(&["cargo hack clippy --workspace --ignore-private --feature-powerset \
             --exclude-features default --locked -- -D warnings"]),
    },
    Step {
        name: "doc",
        about: "the documentation builds without a warning",
        // With private items every comment's links are checked, and without them a public page that
        // links to a private item is found. The second leaves the public pages in target/doc.
        how: How::Lines(&[
            "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --all-features --locked \
             --document-private-items",
            "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --all-features --locked",
        ]),
    },
    Step {
        name: "test",
        about: "unit and integration tests, with all features",
        how: How::Lines(&["cargo test --workspace --all-features --locked --no-fail-fast --tests"]),
    },
    Step {
        name: "doctest",
        about: "the examples in the documentation",
        how: How::Lines(&["cargo test --workspace --all-features --locked --no-fail-fast --doc"]),
    },
    Step {
        name: "host-features",
        about: "usage-proto's tests with features that a host may turn on (W11)",
        // They change how `serde_json` orders maps, holds numbers or reads floats. Cargo unites
        // features over the whole graph, so any crate of a host can turn them on for us.
        how: How::Lines(&["cargo test --package usage-proto --all-features --locked --features \
             serde_json/arbitrary_precision,serde_json/preserve_order,serde_json/float_roundtrip \
             --no-fail-fast"]),
    },
    Step {
        name: "without-tls",
        about: "the tests of the adapters that are built without TLS",
        // One after the other: in one build another adapter's features would be turned on for all.
        how: How::Lines(&[
            "cargo test --package usage-ureq --no-default-features --locked --tests without_tls",
            "cargo test --package usage-reqwest --no-default-features --locked --tests without_tls",
            "cargo test --package usage-hyper --no-default-features --locked --tests without_tls",
        ]),
    },
    Step {
        name: "lines",
        about: "no crate has more lines of code than its bound",
        how: How::Code(lines::lines),
    },
    Step {
        name: "deny",
        about: "licences, banned crates and sources of the dependencies",
        // Advisories are left out: they come from a database on the network that changes by itself,
        // so the same commit would pass today and fail tomorrow. Like a licence that nothing needs
        // any more, an exception that nothing needs has to go.
        how: How::Lines(&["cargo deny --locked --workspace --all-features check \
             licenses bans sources --deny unmatched-skip"]),
    },
    Step {
        name: "fuzz",
        about: "each fuzz target for 20 seconds; on its own: fuzz [TARGET] [--seconds N]",
        how: How::Code(|| fuzz::fuzz(&fuzz::Options::default())),
    },
];

/// What is run by name alone.
pub(crate) const BY_NAME: &[Step] = &[
    Step {
        name: "bench",
        about: "what a request, an answer, a reporter, its drivers and the adapters cost a host: bench [--json] [--write]",
        how: How::Code(|| bench::bench(bench::Options::default()).map(|()| "")),
    },
    Step {
        name: "simulate",
        about: "a million reporters over ten days, and short-lived ones; rewrites docs/simulation.*",
        // It runs in the folder of its package, and fails if a bound is not kept.
        how: How::Lines(&["cargo bench --package usage-reporter --bench simulation --locked -- \
             --write ../../docs"]),
    },
    Step {
        name: "laws",
        about: "the reporter's laws over a million random lives; LAWS_CASES asks for another number",
        // Optimized: a million take some minutes, and would take an hour otherwise.
        how: How::Lines(&[
            "LAWS_CASES?=1000000 cargo test --release --locked --package usage-reporter --test it \
             -- laws",
        ]),
    },
];

/// The step of this name.
pub(crate) fn find(name: &str) -> Option<&'static Step> {
    CI.iter().chain(BY_NAME).find(|step| step.name == name)
}

#[cfg(test)]
mod tests {
    use super::{BY_NAME, CI};
    use crate::command::words;
    use crate::runner::How;

    #[test]
    fn every_line_can_be_read() {
        for step in CI.iter().chain(BY_NAME) {
            if let How::Lines(lines) = step.how {
                assert!(!lines.is_empty(), "{} does nothing", step.name);
                for line in lines {
                    assert!(words(line).is_some(), "{line}");
                }
            }
        }
    }

    #[test]
    fn contributing_lists_the_steps_of_ci() {
        let page = include_str!("../../CONTRIBUTING.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
        let listed: Vec<_> = rows.map(|(name, _)| name).collect();
        assert_eq!(listed, CI.iter().map(|step| step.name).collect::<Vec<_>>());
    }
}
