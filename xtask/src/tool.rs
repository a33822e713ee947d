//! Tools that are pinned by version: kept if they are there, built from source if not.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo::{cargo, program, run};
use crate::failure::Failure;
use crate::metadata::Metadata;

/// A cargo subcommand from the registry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// What follows `cargo `; the package is `cargo-` and this.
    pub(crate) subcommand: &'static str,
    pub(crate) version: &'static str,
}

/// What is installed under the tool's name.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Pinned,
    Other(String),
    Nothing,
}

impl Tool {
    /// A command that calls the pinned version, which is installed first if need be: in cargo's
    /// own place when no version is there, in `target/tools` when another one is, so that it is
    /// left as it is.
    pub(crate) fn command(&self) -> Result<Command, Failure> {
        let found = self.found(cargo([self.subcommand]));
        if found == Found::Pinned {
            return Ok(cargo([self.subcommand]));
        }
        let tools = Metadata::of_members()?.target_directory().join("tools");
        let own = self.in_tools(tools.clone());
        if self.found(program(&own)) == Found::Pinned {
            return Ok(program(own));
        }
        let mut install =
            cargo(["install", "--locked", &self.package(), "--version", self.version]);
        println!("building {} {} once; this takes some minutes", self.package(), self.version);
        if let Found::Other(version) = found {
            println!("version {version} is installed and stays");
            install.arg("--root").arg(tools);
            run(install)?;
            return Ok(program(own));
        }
        run(install)?;
        Ok(cargo([self.subcommand]))
    }

    fn package(&self) -> String {
        format!("cargo-{}", self.subcommand)
    }

    fn in_tools(&self, mut tools: PathBuf) -> PathBuf {
        tools.push("bin");
        tools.push(format!("{}{}", self.package(), std::env::consts::EXE_SUFFIX));
        tools
    }

    /// Asks `command` for its version. Cargo says on standard error that it has no such command;
    /// that is an answer here, not something to show.
    fn found(&self, mut command: Command) -> Found {
        let output = command.arg("--version").stderr(Stdio::null()).output();
        let Some(output) = output.ok().filter(|output| output.status.success()) else {
            return Found::Nothing;
        };
        self.judge(&String::from_utf8_lossy(&output.stdout))
    }

    /// Reads `cargo-deny 0.20.2`.
    fn judge(&self, answer: &str) -> Found {
        match answer.split_whitespace().nth(1) {
            Some(version) if version == self.version => Found::Pinned,
            Some(version) => Found::Other(version.to_owned()),
            None => Found::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Tool};

    const TOOL: Tool = Tool { subcommand: "deny", version: "0.20.2" };

    #[test]
    fn only_the_pinned_version_is_taken() {
        assert_eq!(TOOL.judge("cargo-deny 0.20.2\n"), Found::Pinned);
        assert_eq!(TOOL.judge("cargo-deny 0.20.20\n"), Found::Other("0.20.20".to_owned()));
        assert_eq!(TOOL.judge(""), Found::Nothing);
    }

    #[test]
    fn a_tool_that_is_not_there_is_nothing() {
        let tool = Tool { subcommand: "there-is-no-such-tool", version: "1.0.0" };
        assert_eq!(tool.found(crate::cargo::cargo([tool.subcommand])), Found::Nothing);
        assert_eq!(tool.found(crate::cargo::program("/there/is/no/such/tool")), Found::Nothing);
    }
}
