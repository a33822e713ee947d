//! The file that a token goes to: whole or not at all, and for its owner alone.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use usage_proto::Token;

use crate::failure::Failure;

/// A place for a token, found to be writable before anybody registers.
pub(super) struct TokenSink {
    path: PathBuf,
    /// Beside it, with mode 0600; gone if no token comes.
    file: NamedTempFile,
}

impl TokenSink {
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if path.is_dir() {
            return Err(refused(path, "it is a directory".into()));
        }
        let file = NamedTempFile::new_in(folder).map_err(|source| refused(path, source.into()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the place of what was there.
    pub(super) fn store(mut self, token: &Token) -> Result<(), Failure> {
        let failed = |source: std::io::Error| refused(&self.path, source.into());
        writeln!(self.file, "{}", token.expose()).map_err(failed)?;
        self.file.as_file().sync_all().map_err(failed)?;
        self.file.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

fn refused(path: &Path, source: Box<dyn std::error::Error + Send + Sync>) -> Failure {
    Failure::Build {
        message: format!("cannot keep the token in {}", path.display()),
        field: Some("token_file".to_owned()),
        source: Some(source),
    }
}
