//! No warning of the compiler or of clippy, tests and examples included.

use crate::cargo::{cargo, run};
use crate::failure::Failure;
use crate::runner::{Done, Step};

pub(crate) const CLIPPY: Step =
    Step { name: "clippy", about: "no warning in any target, with all features", run: clippy };

fn clippy() -> Result<Done, Failure> {
    let mut command =
        cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--locked"]);
    // After `--`, so that it holds for our crates alone: the same words in RUSTFLAGS would build
    // every dependency again.
    command.args(["--", "-D", "warnings"]);
    run(command)?;
    Ok(Done::Checked)
}
