//! The token file of a run that may last for years: a secret is replaced now and then, and the old
//! one is refused from then on.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{fs, io, thread};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tracing::{info, warn};
use usage_proto::{Chain, Token, TransportError};
use usage_reporter::{Handle, blocking};

use crate::token_file;

/// How often the file is read. What replaces it, by which rename or link ever, is not asked: a file
/// of this size is read as fast as it is looked at.
const EVERY: Duration = Duration::from_secs(10);

/// A file to be read again and again.
pub(super) struct TokenWatch {
    path: PathBuf,
    every: Duration,
    /// The one that reports carry.
    token: Token,
    refused: Refused,
}

/// Whether the last usage that was sent was refused for its token.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused(Arc<AtomicBool>);

/// As long as this is there, the file is read.
pub(super) struct Watching(
    #[expect(dead_code, reason = "it ends the thread when it goes")] mpsc::Sender<()>,
);

impl Refused {
    /// Looks at what became of a request.
    pub(super) fn note(&self, is_usage: bool, outcome: &Result<Response<Bytes>, TransportError>) {
        if let (true, Ok(answer)) = (is_usage, outcome) {
            self.0.store(answer.status() == StatusCode::UNAUTHORIZED, Ordering::Relaxed);
        }
    }
}

/// Whether this request brings usage, and not the registration of a server.
pub(super) fn is_usage<B>(request: &Request<B>) -> bool {
    request.uri().path().contains("/api/v1/usage/")
}

impl TokenWatch {
    /// `None` if there is nothing to watch: no file, or one that can be read once alone, such as
    /// standard input or a pipe.
    pub(super) fn new(
        file: Option<&PathBuf>,
        token: Option<&Token>,
        period: Duration,
        refused: &Refused,
    ) -> Option<Self> {
        let (path, token) = (file?.clone(), token?.clone());
        fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        // A period of seconds is for trying things out.
        let every = EVERY.min(period / 4);
        Some(Self { path, every, token, refused: refused.clone() })
    }

    /// Reads the file from now on, on a thread of its own: it may stand on a disk that hangs.
    pub(super) fn start(mut self, handle: Handle<blocking::Thread>) -> io::Result<Watching> {
        let (watching, over) = mpsc::channel();
        thread::Builder::new().name("token-file".to_owned()).spawn(move || {
            let mut unreadable = false;
            while over.recv_timeout(self.every) == Err(mpsc::RecvTimeoutError::Timeout) {
                match self.read() {
                    Ok(token) => {
                        unreadable = false;
                        if token != self.token {
                            self.replace(token, &handle);
                        }
                    }
                    // Told once, not every ten seconds: it may be replaced at this very moment.
                    Err(error) => {
                        if !std::mem::replace(&mut unreadable, true) {
                            warn!("reports go on with the token that there was: {error}");
                        }
                    }
                }
            }
        })?;
        Ok(Watching(watching))
    }

    fn read(&self) -> Result<Token, String> {
        // A pipe that has taken its place would be waited for.
        if fs::metadata(&self.path).is_ok_and(|found| !found.is_file()) {
            return Err(format!("{} is no longer a file", self.path.display()));
        }
        token_file::read_again(&self.path).map_err(|error| Chain(&error).to_string())
    }

    fn replace(&mut self, token: Token, handle: &Handle<blocking::Thread>) {
        if let Err(error) = handle.set_token(token.clone()) {
            warn!("reports go on with the token that there was: {error}");
            return;
        }
        self.token = token;
        info!("the token file holds another token: reports carry that one from now on");
        // What was refused is lost. Without this, the next would be sent a period later.
        if self.refused.0.swap(false, Ordering::Relaxed) {
            handle.report_now();
        }
    }
}
