//! Tools from `PyPI` that are pinned by version, each in a folder of its own below target: nothing of
//! the machine's Python is changed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::command::{program, run, target_directory};

/// A program from `PyPI`.
#[derive(Debug)]
pub(crate) struct PythonTool {
    /// The package, and the program in it.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// Why a step that needs one is skipped where it cannot be had.
pub(crate) const SKIPPED: &str = "(skipped: no python3 with venv, or pip has no registry)";

/// Finds misspelt words. Its package is a program that is built already.
pub(crate) const TYPOS: PythonTool = PythonTool { name: "typos", version: "1.42.3" };

impl PythonTool {
    /// Its own folder, where it may keep more.
    pub(crate) fn folder(&self) -> Result<PathBuf, String> {
        Ok(target_directory()?.join(self.name))
    }

    /// A command that calls the pinned version, which is installed first if need be.
    pub(crate) fn command(&self) -> Result<Command, String> {
        let venv = self.folder()?.join("venv");
        let tool = venv.join("bin").join(self.name);
        if !self.is_pinned(program(&tool)) {
            let mut make = program("python3");
            make.args(["-m", "venv", "--clear"]).arg(&venv);
            run(make)?;
            let mut pip = program(venv.join("bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
            pip.args(["--disable-pip-version-check", &format!("{}=={}", self.name, self.version)]);
            run(pip)?;
        }
        Ok(program(tool))
    }

    fn is_pinned(&self, mut command: Command) -> bool {
        let output = command.arg("--version").stderr(Stdio::null()).output();
        let Ok(output) = output else { return false };
        String::from_utf8_lossy(&output.stdout).split_whitespace().any(|word| word == self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::PythonTool;
    use crate::command::program;

    #[test]
    fn a_tool_that_is_not_there_is_not_the_pinned_one() {
        let tool = PythonTool { name: "there-is-no-such-tool", version: "1.0.0" };
        assert!(!tool.is_pinned(program("/there/is/no/such/tool")));
    }
}
