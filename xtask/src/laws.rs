//! The laws of the reporter, over many lives.

use crate::cargo::{cargo, run};
use crate::failure::Failure;
use crate::runner::{Done, Step};

pub(crate) const LAWS: Step = Step {
    name: "laws",
    about: "the reporter's laws over a million random lives; LAWS_CASES asks for another number",
    run: laws,
};

/// Optimized: a million take some minutes, and would take an hour otherwise.
fn laws() -> Result<Done, Failure> {
    let mut command = cargo(["test", "--release", "--locked", "--package", "usage-reporter"]);
    command.args(["--test", "it", "--", "laws"]);
    if std::env::var_os("LAWS_CASES").is_none() {
        command.env("LAWS_CASES", "1000000");
    }
    run(command)?;
    Ok(Done::Checked)
}
