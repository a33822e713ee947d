//! The source is formatted as rustfmt.toml says.

use crate::cargo::{cargo, run};
use crate::failure::Failure;
use crate::runner::{Done, Step};

pub(crate) const FMT: Step =
    Step { name: "fmt", about: "the source is formatted (cargo fmt repairs it)", run: fmt };

fn fmt() -> Result<Done, Failure> {
    run(cargo(["fmt", "--all", "--check"]))?;
    Ok(Done::Checked)
}
