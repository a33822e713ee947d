//! Licences, banned crates and sources, as deny.toml says.

use crate::cargo::run;
use crate::failure::Failure;
use crate::runner::{Done, Step};
use crate::tool::Tool;

pub(crate) const DENY: Step = Step {
    name: "deny",
    about: "licences, banned crates and sources of the dependencies",
    run: deny,
};

const CARGO_DENY: Tool = Tool { subcommand: "deny", version: "0.20.2" };

fn deny() -> Result<Done, Failure> {
    let mut command = CARGO_DENY.command()?;
    command.args(["--locked", "--workspace", "--all-features", "check"]);
    // Advisories are left out: they come from a database on the network that changes by itself, so
    // the same commit would pass today and fail tomorrow.
    command.args(["licenses", "bans", "sources"]);
    // Like a licence that nothing needs any more, an exception that nothing needs has to go.
    command.args(["--deny", "unmatched-skip"]);
    run(command)?;
    Ok(Done::Checked)
}
