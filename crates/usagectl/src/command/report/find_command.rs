//! COMMAND is looked for at the start: the first report may be due half a day later.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

use crate::failure::Failure;

/// Where the system looks for programs if nobody says where.
#[cfg(unix)]
const USUAL: &str = "/bin:/usr/bin";
#[cfg(not(unix))]
const USUAL: &str = "";

/// Looks for a program, as it will be looked for when it is run.
pub(super) fn find_command(command: &[OsString]) -> Result<(), Failure> {
    let name = command.first().map_or(OsStr::new(""), OsString::as_os_str);
    let paths = env::var_os("PATH").unwrap_or_else(|| USUAL.into());
    let here = env::current_dir().unwrap_or_default();
    if which::which_in(name, Some(paths), here).is_ok() {
        return Ok(());
    }
    Err(Failure::Build {
        message: format!("`{}` cannot be run: {}", name.to_string_lossy(), reason(name)),
        field: Some("command".to_owned()),
        source: None,
    })
}

fn reason(name: &OsStr) -> String {
    if Path::new(name).components().count() < 2 {
        return "there is no such program in the directories of PATH".to_owned();
    }
    match fs::metadata(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => "there is no such file".to_owned(),
        Err(error) => error.to_string(),
        Ok(file) if file.is_dir() => "it is a directory".to_owned(),
        Ok(_) => "it is not executable: `chmod +x` makes it so".to_owned(),
    }
}
