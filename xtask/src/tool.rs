//! Tools that are pinned by version: kept if they are there, built from source if not.

use std::process::{Command, Stdio};

use crate::command::{cargo, program, run, target_directory};

/// The tools of the steps.
pub(crate) const TOOLS: &[Tool] = &[
    Tool { subcommand: "deny", version: "0.20.2" },
    Tool { subcommand: "fuzz", version: "0.13.2" },
    Tool { subcommand: "hack", version: "0.6.46" },
];

/// A cargo subcommand from the registry.
#[derive(Debug)]
pub(crate) struct Tool {
    /// What follows `cargo `; the package is `cargo-` and this.
    pub(crate) subcommand: &'static str,
    version: &'static str,
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
    pub(crate) fn command(&self) -> Result<Command, String> {
        let installed = || cargo([self.subcommand]);
        let found = self.found(installed());
        if found == Found::Pinned {
            return Ok(installed());
        }
        let package = format!("cargo-{}", self.subcommand);
        let tools = target_directory()?.join("tools");
        let path = tools.join("bin").join(format!("{package}{}", std::env::consts::EXE_SUFFIX));
        let own = || {
            let mut command = program(&path);
            command.arg(self.subcommand);
            command
        };
        if self.found(own()) == Found::Pinned {
            return Ok(own());
        }
        println!("building {package} {} once; this takes some minutes", self.version);
        let mut install = cargo(["install", "--locked", &package, "--version", self.version]);
        if let Found::Other(version) = found {
            println!("version {version} is installed and stays");
            install.arg("--root").arg(tools);
            run(install)?;
            return Ok(own());
        }
        run(install)?;
        Ok(installed())
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
    use crate::command::{cargo, program};

    #[test]
    fn only_the_pinned_version_is_taken() {
        let tool = Tool { subcommand: "deny", version: "0.20.2" };
        assert_eq!(tool.judge("cargo-deny 0.20.2\n"), Found::Pinned);
        assert_eq!(tool.judge("cargo-deny 0.20.20\n"), Found::Other("0.20.20".to_owned()));
        assert_eq!(tool.judge(""), Found::Nothing);
    }

    #[test]
    fn a_tool_that_is_not_there_is_nothing() {
        let tool = Tool { subcommand: "there-is-no-such-tool", version: "1.0.0" };
        assert_eq!(tool.found(cargo([tool.subcommand])), Found::Nothing);
        assert_eq!(tool.found(program("/there/is/no/such/tool")), Found::Nothing);
    }
}
