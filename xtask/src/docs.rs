//! The documentation builds without a warning.

use crate::cargo::{cargo, run};
use crate::failure::Failure;
use crate::runner::{Done, Step};

pub(crate) const DOC: Step =
    Step { name: "doc", about: "the documentation builds without a warning", run: doc };

fn doc() -> Result<Done, Failure> {
    // Twice: with private items every comment's links are checked, and without them a public page
    // that links to a private item is found. The second run leaves the public pages in target/doc.
    build(&["--document-private-items"])?;
    build(&[])?;
    Ok(Done::Checked)
}

fn build(arguments: &[&str]) -> Result<(), Failure> {
    let mut command = cargo(["doc", "--workspace", "--no-deps", "--all-features", "--locked"]);
    command.args(arguments).env("RUSTDOCFLAGS", "-D warnings");
    run(command)
}
