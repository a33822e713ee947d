//! The tests: unit and integration tests, documentation tests, and the core's tests inside a host
//! that turns on features of a library it shares with us.

use std::process::Command;

use crate::cargo::{cargo, run_and_read};
use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::runner::{Done, Step};
use crate::test_counts::TestCounts;

pub(crate) const TEST: Step =
    Step { name: "test", about: "unit and integration tests, with all features", run: test };

pub(crate) const DOCTEST: Step =
    Step { name: "doctest", about: "the examples in the documentation", run: doctest };

pub(crate) const WITHOUT_TLS: Step = Step {
    name: "without-tls",
    about: "the tests of the adapters that are built without TLS",
    run: without_tls,
};

pub(crate) const HOST_FEATURES: Step = Step {
    name: "host-features",
    about: "usage-proto's tests with features that a host may turn on (W11)",
    run: host_features,
};

/// Features of `serde_json` that change how it orders maps, holds numbers or reads floats. Cargo
/// unites features over the whole graph, so any crate of a host can turn them on for us.
const OF_THE_HOST: &str =
    "serde_json/arbitrary_precision,serde_json/preserve_order,serde_json/float_roundtrip";

fn test() -> Result<Done, Failure> {
    let mut command =
        cargo(["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"]);
    // Without the examples in the documentation: they are a step of their own.
    command.arg("--tests");
    run_tests(command)
}

fn doctest() -> Result<Done, Failure> {
    for package in Metadata::of_members()?.members() {
        if let Some(library) = package.library_without_doctests() {
            return Err(Failure::new(format!(
                "the library of {library} has `doctest = false`: its examples would not be checked"
            )));
        }
    }
    let mut command =
        cargo(["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"]);
    command.arg("--doc");
    run_tests(command)
}

/// One after the other: in one build another adapter's features would be turned on for all.
fn without_tls() -> Result<Done, Failure> {
    let mut counts = TestCounts::default();
    for adapter in ["usage-ureq", "usage-reqwest", "usage-hyper"] {
        let mut command = cargo(["test", "--package", adapter, "--no-default-features"]);
        command.args(["--locked", "--tests", "without_tls"]);
        counts = counts + count(command)?;
    }
    Ok(Done::Tested(counts))
}

fn host_features() -> Result<Done, Failure> {
    let mut command = cargo(["test", "--package", "usage-proto", "--all-features", "--locked"]);
    command.args(["--features", OF_THE_HOST, "--no-fail-fast"]);
    run_tests(command)
}

/// Runs a `cargo test` and counts; a run without any test is a failure, not a success.
fn run_tests(command: Command) -> Result<Done, Failure> {
    count(command).map(Done::Tested)
}

fn count(command: Command) -> Result<TestCounts, Failure> {
    let mut counts = TestCounts::default();
    run_and_read(command, |line| {
        if let Some(more) = TestCounts::from_line(line) {
            counts = counts + more;
        }
    })?;
    if counts.passed == 0 {
        return Err(Failure::new("no test ran"));
    }
    Ok(counts)
}
