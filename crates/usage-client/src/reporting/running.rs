use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use usage_proto::{Api, BuildError, Registration, Saveable, Token};
use usage_reporter::{Consent, Driver, Handle, LastSent, StateFile, StateFileError, SubmitError};

use super::stage::{Previewed, Reached, Stage, Started};
use super::start_error::StartError;
use super::status::Status;

/// Reporting that was started. It ends when this is dropped, without anybody waiting for it; `stop`
/// sends what waits first.
///
/// Where consent is off nothing was made, and every method is without effect.
///
/// Every call is short, whatever the API and the disk do, but for `stop`, `flush` and `wait_until`,
/// which have limits, `preview`, which waits for the application's own collector, and
/// [`last_sent`](Self::last_sent), which reads a file.
#[must_use = "the reporting ends when this is dropped"]
pub struct Running<D: Driver> {
    consent: Consent,
    state_file: Option<PathBuf>,
    /// `None` where consent is off.
    stage: Option<Arc<Stage<D>>>,
}

impl<D: Driver> Running<D> {
    pub(super) fn off(consent: Consent, state_file: Option<PathBuf>) -> Self {
        Self { consent, state_file: state_file.map(absolute), stage: None }
    }

    pub(super) fn on(consent: Consent, state_file: Option<PathBuf>, stage: Arc<Stage<D>>) -> Self {
        Self { consent, state_file: state_file.map(absolute), stage: Some(stage) }
    }

    pub(super) fn settle(&self) -> Result<(), StartError> {
        self.stage().map_or(Ok(()), Stage::settle)
    }

    /// `None` where consent is off.
    pub(super) fn stage(&self) -> Option<&Stage<D>> {
        self.stage.as_deref()
    }

    /// Ends it, and hands over what has to be shut down. What started in vain ends by itself.
    pub(super) fn end(&self) -> Option<Handle<D>> {
        let mut reached = self.stage()?.lock();
        match std::mem::replace(&mut *reached, Reached::Ended(None)) {
            Reached::Started(started) => {
                *reached = Reached::Ended(Some(started.handle.clone()));
                Some(started.handle)
            }
            Reached::Starting { .. } => None,
            over => {
                *reached = over;
                None
            }
        }
    }

    /// The way to what runs, or ran.
    pub(super) fn handle(&self) -> Option<Handle<D>> {
        match &*self.stage()?.lock() {
            Reached::Started(started) => Some(started.handle.clone()),
            Reached::Ended(handle) => handle.clone(),
            _ => None,
        }
    }

    /// The status, as a handle has it.
    pub(super) fn status_of(&self, status: &usage_reporter::Status) -> Status {
        Status::of(&self.consent, status)
    }

    /// What makes a preview. Not under the lock: the application may take its time.
    pub(super) fn previewed(&self) -> Option<(Arc<dyn Previewed>, Api)> {
        self.started(|started| (Arc::clone(&started.numbers), started.api.clone()))
    }

    fn started<R>(&self, use_it: impl FnOnce(&mut Started<D>) -> R) -> Option<R> {
        match &mut *self.stage()?.lock() {
            Reached::Started(started) => Some(use_it(started)),
            _ => None,
        }
    }
}

/// # Report
impl<D: Driver> Running<D> {
    /// Sends statistics as soon as possible. When there is no room for them, older ones are dropped.
    ///
    /// # Errors
    ///
    /// [`PushError`] if they are not taken. Where consent is off they are dropped, which is not an
    /// error.
    pub fn push_stats<P: Saveable + ?Sized>(&self, stats: &P) -> Result<(), PushError> {
        if !self.consent.is_on() {
            return Ok(());
        }
        match self.started(|started| started.handle.push_stats(stats)) {
            Some(result) => Ok(result?),
            None => Err(PushError::NotRunning),
        }
    }

    /// Makes usage due now. The schedule counts on from there.
    pub fn report_now(&self) {
        let Some(stage) = self.stage() else { return };
        match &mut *stage.lock() {
            Reached::Starting { report_now, .. } => *report_now = true,
            Reached::Started(started) => started.handle.report_now(),
            Reached::Failed(_) | Reached::Ended(_) => {}
        }
    }

    /// Registers this server once more, as at the start.
    ///
    /// # Errors
    ///
    /// [`PushError`] if that is not taken.
    pub fn register(&self) -> Result<(), PushError> {
        if !self.consent.is_on() {
            return Ok(());
        }
        match self.started(|started| started.handle.register(&started.server)) {
            Some(result) => Ok(result?),
            None => Err(PushError::NotRunning),
        }
    }

    /// Reports with this token from now on, and registers the server with it: the customer has
    /// registered, and what is reported belongs to the organisation.
    ///
    /// The token is not kept over restarts: the product keeps it as it keeps its other secrets, and
    /// hands it to [`Reporting::token`](crate::Reporting::token) at the next start.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the token may not travel to the API, as over plain `http`.
    pub fn set_token(&self, token: Token) -> Result<(), BuildError> {
        let Some(stage) = &self.stage else { return Ok(()) };
        match &mut *stage.lock() {
            Reached::Starting { api, token: waits, .. } => {
                api.clone().with_token(token.clone())?;
                *waits = Some(token);
                Ok(())
            }
            Reached::Started(started) => started.set_token(token),
            Reached::Failed(_) | Reached::Ended(_) => Ok(()),
        }
    }
}

/// # Inspect
impl<D: Driver> Running<D> {
    /// Whether reporting is on, and which rule decided it.
    #[must_use]
    pub fn consent(&self) -> &Consent {
        &self.consent
    }

    /// How the reporting goes.
    #[must_use]
    pub fn status(&self) -> Status {
        let Some(stage) = self.stage() else { return Status::idle(&self.consent, "off", None) };
        match &*stage.lock() {
            Reached::Starting { .. } => Status::idle(&self.consent, "starting", None),
            Reached::Started(started) => self.status_of(&started.handle.status()),
            Reached::Failed(error) => {
                let words = error.as_ref().map(|error| format!("{error:#}"));
                Status::idle(&self.consent, "failed", words)
            }
            Reached::Ended(Some(handle)) => self.status_of(&handle.status()),
            Reached::Ended(None) => Status::idle(&self.consent, "stopped", None),
        }
    }

    /// The last usage report as it left this machine, its time, and the answer: for the customer whose
    /// machine it is. `None` if none was sent yet. It is kept beside the state, over restarts, and can
    /// be read where reporting is off by now.
    ///
    /// # Errors
    ///
    /// [`StateFileError`] if the file is there and cannot be read.
    pub fn last_sent(&self) -> Result<Option<LastSent>, StateFileError> {
        self.state_file.as_ref().map_or(Ok(None), StateFile::peek_last_sent)
    }

    /// What the customer registers, to be given a redirect URL and a state by a product that has an
    /// interface of its own; then [`registration_url`](Self::registration_url) is where the browser
    /// goes. `None` while there is nothing to report.
    #[must_use]
    pub fn registration(&self) -> Option<Registration> {
        self.started(|started| {
            Registration::new(&*started.server.cluster_id, &*started.server.product)
        })
    }

    /// Where a customer registers in a browser, so that what is reported belongs to the organisation.
    /// `None` while there is nothing to report.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the registration cannot be one, such as with a redirect URL that is not
    /// absolute.
    pub fn registration_url(
        &self,
        registration: &Registration,
    ) -> Result<Option<String>, BuildError> {
        let url = self.started(|started| started.api.registration_url(registration));
        Ok(url.transpose()?.map(Into::into))
    }
}

impl<D: Driver> Drop for Running<D> {
    fn drop(&mut self) {
        drop(self.end());
        if let Some(stage) = self.stage() {
            *stage.lock() = Reached::Ended(None);
        }
    }
}

impl<D: Driver> fmt::Debug for Running<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// Where it is when the program has changed its directory, too.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Something was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The reporting is still starting, did not start, or was stopped.
    #[error("usage reporting does not run: its status says why")]
    NotRunning,
    /// The schedule does not take it.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}
