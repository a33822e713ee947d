//! A million reporters in virtual time.

use crate::cargo::{cargo, root, run};
use crate::failure::Failure;
use crate::runner::{Done, Step};

pub(crate) const SIMULATE: Step = Step {
    name: "simulate",
    about: "a million reporters over ten days, and short-lived ones; rewrites docs/simulation.*",
    run: simulate,
};

/// The simulation ends with a failure if a bound is not kept.
fn simulate() -> Result<Done, Failure> {
    let mut command = cargo(["bench", "--package", "usage-reporter", "--bench", "simulation"]);
    command.args(["--locked", "--", "--write"]).arg(root().join("docs"));
    run(command)?;
    Ok(Done::Checked)
}
