//! What a host pays: measured, printed, and never judged by a time.

use crate::cargo::{cargo, run};
use crate::failure::Failure;
use crate::runner::{Done, Step};

pub(crate) const BENCH: Step = Step {
    name: "bench",
    about: "what a reporter and its drivers cost a host; numbers to read, no test",
    run: bench,
};

fn bench() -> Result<Done, Failure> {
    let mut command = cargo(["bench", "--package", "usage-reporter", "--all-features", "--locked"]);
    command.args(["--bench", "idle", "--bench", "driver"]);
    run(command)?;
    Ok(Done::Checked)
}
