//! A tool from `PyPI` plays with an API that runs, as its description describes it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::command::{cargo, program, root, run, target_directory};
use crate::python_tool::{PythonTool, SKIPPED};
use crate::runner::Note;

/// What another version finds belongs into a commit of its own.
const TOOL: PythonTool = PythonTool { name: "schemathesis", version: "4.32.5" };

/// How long it plays, in seconds.
const TIME: &str = "60";

/// Runs it, or says why it cannot.
pub(crate) fn schemathesis() -> Result<Note, String> {
    let mut command = match TOOL.command() {
        Ok(command) => command,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(SKIPPED);
        }
    };
    let folder = TOOL.folder()?;
    run(cargo(["build", "--package", "usagectl", "--locked"]))?;
    let serving = Serving::start(&folder)?;
    let ours = root().join("xtask/schemathesis");
    // It leaves a folder of its own where it is.
    command.current_dir(&folder).env("SCHEMATHESIS_HOOKS", ours.join("hooks.py"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg("--config-file").arg(ours.join("schemathesis.toml")).arg("--no-color");
    command.args(["run", "--max-time", TIME]).arg(format!("{}/openapi.json", serving.url));
    run(command)?;
    Ok("")
}

/// An API with an empty database, which ends with this.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(folder: &Path) -> Result<Self, String> {
        let failed = |what: &str, error: std::io::Error| format!("cannot {what}: {error}");
        let data = folder.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).map_err(|error| failed("empty the database", error))?;
        }
        fs::create_dir_all(&data).map_err(|error| failed("make a folder", error))?;
        let mut command = program(binary()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--registration", "open"]);
        command.arg("--database").arg(data.join("usage.db"));
        command.arg("--log-file").arg(data.join("log")).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed("start the API", error))?;
        let stdout = child.stdout.take();
        let mut serving = Self { child, url: String::new() };
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|error| failed("read where the API is", error))?;
        }
        let url = line.trim().strip_prefix("listening on ");
        url.ok_or("the API did not say where it is")?.clone_into(&mut serving.url);
        Ok(serving)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It keeps nothing that anybody wants.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> Result<PathBuf, String> {
    let name = format!("debug/usagectl{}", std::env::consts::EXE_SUFFIX);
    Ok(target_directory()?.join(name))
}
