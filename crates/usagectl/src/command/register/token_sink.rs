//! Where a token goes: to a file, whole or not at all and for its owner alone, or to standard output.

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use usage_files::{Accept, Risk};
use usage_proto::Token;

use crate::failure::Failure;

pub(super) enum TokenSink {
    /// It was found to be writable before anybody registers.
    File(PathBuf),
    /// Whoever started this takes it from there.
    StandardOutput,
}

impl TokenSink {
    /// Nothing is left behind by the look at the file: whoever waits may be ended in any way.
    pub(super) fn new(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else { return Ok(Self::StandardOutput) };
        is_to_be_replaced(path).map_err(|error| refused(path, error))?;
        NamedTempFile::new_in(folder(path))
            .and_then(NamedTempFile::close)
            .map_err(|error| refused(path, error.into()))?;
        Ok(Self::File(path.to_owned()))
    }

    /// Puts the token into the file, in place of what was there.
    pub(super) fn store(&self, token: &Token) -> Result<(), Failure> {
        let Self::File(path) = self else { return Ok(()) };
        let failed = |error: std::io::Error| refused(path, error.into());
        // With mode 0600.
        let mut file = NamedTempFile::new_in(folder(path)).map_err(failed)?;
        writeln!(file, "{}", token.expose()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        // The new name as well, where the file system can: without it a crash may bring the old one
        // back.
        let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Whether nothing is lost but the file when another one takes its name. It would be bad for the
/// whole machine if that were a device, or a link to one. Whose file it is makes no difference.
fn is_to_be_replaced(path: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    let accept = Accept::NOTHING.and(Risk::OtherOwner).and(Risk::WritableByOthers);
    match usage_files::check(path, accept) {
        Ok(_) => Ok(()),
        Err(error) if error.risk() == Some(Risk::Link) => {
            Err("it is a link: name the file that it leads to".into())
        }
        Err(error) => Err(error.into()),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn refused(path: &Path, source: Box<dyn Error + Send + Sync>) -> Failure {
    Failure::Build {
        message: format!("cannot keep the token in {}", path.display()),
        field: Some("token_file".to_owned()),
        source: Some(source),
    }
}
