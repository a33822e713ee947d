//! The table of steps: what each is called, what it checks, and how it runs.

use crate::command::run;
use crate::python_tool::{SKIPPED, TYPOS};
use crate::runner::{How, Step};
use crate::{bench, browser, fuzz, lines, msrv, package, platforms, schemathesis, template};

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
        name: "typos",
        about: "the words are spelt as typos.toml says",
        how: How::Code(|| match TYPOS.command() {
            Ok(command) => run(command).map(|()| ""),
            Err(reason) => {
                println!("skipped: {reason}");
                Ok(SKIPPED)
            }
        }),
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
        how: How::Lines(&[
            // Those that have features for fuzzing, which belong together.
            "cargo hack clippy --package usage-client --package usage-proto --feature-powerset \
             --exclude-features default --group-features arbitrary,oracles --locked -- \
             -D warnings",
            "cargo hack clippy --workspace --ignore-private --exclude usage-client --exclude \
             usage-proto --feature-powerset --exclude-features default --locked -- -D warnings",
        ]),
    },
    Step {
        name: "platforms",
        about: "the workspace compiles for Windows and macOS, where rustup has what that takes",
        how: How::Code(platforms::platforms),
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
        how: How::Lines(&[
            "cargo test --workspace --exclude browser-tests --all-features --locked --no-fail-fast \
             --tests",
        ]),
    },
    Step {
        name: "browser",
        about: "registration in a real browser; installs Debian's Chromium where there is none",
        // By the name of its target, and not of its package: so it finds what `test` has built.
        how: How::LinesThatNeed(
            browser::prepare,
            &["cargo test --workspace --all-features --locked --no-fail-fast --test browser"],
        ),
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
        name: "package",
        about: "each published crate builds from its package, which has a page and both licences",
        how: How::Code(package::package),
    },
    Step {
        name: "template",
        about: "the fuzz targets that a product copies build against these packages, and run",
        how: How::Code(template::template),
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
    Step {
        name: "schemathesis",
        about: "an API does what its description says, for a minute of requests of all kinds",
        how: How::Code(schemathesis::schemathesis),
    },
];

/// What is run by name alone.
pub(crate) const BY_NAME: &[Step] = &[
    Step {
        name: "bench",
        about: "what a request, an answer, a reporter, its drivers, the adapters and the whole cost a host: bench [--json] [--write] [--beside NAME=/PROGRAM] [--reports N]",
        how: How::Code(|| bench::bench(&bench::Options::default()).map(|()| "")),
    },
    Step {
        name: "footprint",
        about: "the last part of `bench`: what usage-client adds to a program; footprint --profile: which crates do",
        how: How::Code(|| bench::print_footprint(&[]).map(|()| "")),
    },
    Step {
        name: "release",
        about: "whether all that a release needs is there; refuses where the project has no public home",
        how: How::Code(package::release),
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
            if let How::Lines(lines) | How::LinesThatNeed(_, lines) = step.how {
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
