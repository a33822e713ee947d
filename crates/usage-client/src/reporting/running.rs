use std::error::Error;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use usage_proto::{Api, BuildError, Registration, Saveable, Server, Token};
use usage_reporter::{Consent, Driver, Handle, SubmitError};

use super::collect::Collect;
use super::host::Numbers;
use super::preview::Preview;
use super::start_error::StartError;
use super::status::Status;

type BoxError = Box<dyn Error + Send + Sync>;

/// How long a start waits for the disk. What takes longer goes on behind it.
const PATIENCE: Duration = Duration::from_millis(80);

/// Reporting that was started. It ends when this is dropped, without anybody waiting for it; `stop`
/// sends what waits first.
///
/// Where consent is off nothing was made, and every method is without effect.
///
/// Every call is short, whatever the API and the disk do, but for `stop` and
/// [`preview`](Self::preview), which waits for the application's own collector.
#[must_use = "the reporting ends when this is dropped"]
pub struct Running<D: Driver> {
    consent: Consent,
    /// `None` where consent is off.
    stage: Option<Arc<Stage<D>>>,
}

/// How far the start is. It goes on behind a start that would take too long.
pub(super) struct Stage<D: Driver> {
    reached: Mutex<Reached<D>>,
    changed: Condvar,
}

enum Reached<D: Driver> {
    Starting {
        api: Api,
        /// What came before the start was over.
        token: Option<Token>,
    },
    Started(Box<Started<D>>),
    /// Told by `start`, or shown by the status if `start` had returned already.
    Failed(Option<StartError>),
    /// Nobody wants it any more.
    Ended,
}

/// What can be done with a reporting that runs.
pub(super) struct Started<D: Driver> {
    pub(super) handle: Handle<D>,
    pub(super) api: Api,
    pub(super) server: Server,
    pub(super) numbers: Arc<dyn Previewed>,
}

/// The collector behind a preview, whatever its type.
pub(super) trait Previewed: Send + Sync {
    fn preview(&self, api: &Api) -> Result<Preview, BoxError>;
}

impl<C: Collect<M>, M> Previewed for Numbers<C, M> {
    fn preview(&self, api: &Api) -> Result<Preview, BoxError> {
        Ok(Preview::new(api.build_request(&self.usage()?)?))
    }
}

impl<D: Driver> Stage<D> {
    pub(super) fn starting(api: Api) -> Arc<Self> {
        let reached = Mutex::new(Reached::Starting { api, token: None });
        Arc::new(Self { reached, changed: Condvar::new() })
    }

    /// Tells what became of the start.
    pub(super) fn reach(&self, result: Result<Started<D>, StartError>) {
        let mut reached = self.lock();
        let Reached::Starting { token, .. } = &mut *reached else { return };
        let token = token.take();
        *reached = match result {
            Ok(mut started) => {
                if let Some(token) = token {
                    // It was found to be one that may travel.
                    let _ = started.set_token(token);
                }
                Reached::Started(Box::new(started))
            }
            Err(error) => Reached::Failed(Some(error)),
        };
        self.changed.notify_all();
    }

    /// Waits a moment for the start. The error is told here, or logged later.
    pub(super) fn settle(&self) -> Result<(), StartError> {
        let starting = |reached: &mut Reached<D>| matches!(reached, Reached::Starting { .. });
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, starting);
        let (mut reached, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &mut *reached {
            Reached::Failed(error) => error.take().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reached<D>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Driver> Started<D> {
    fn set_token(&mut self, token: Token) -> Result<(), BuildError> {
        self.api = self.api.clone().with_token(token.clone())?;
        self.handle.set_token(token)?;
        // What waits to be registered already goes with the new token.
        let _ = self.handle.register(&self.server);
        Ok(())
    }
}

impl<D: Driver> Running<D> {
    pub(super) fn off(consent: Consent) -> Self {
        Self { consent, stage: None }
    }

    pub(super) fn settle(&self) -> Result<(), StartError> {
        self.stage.as_ref().map_or(Ok(()), |stage| stage.settle())
    }

    pub(super) fn on(consent: Consent, stage: Arc<Stage<D>>) -> Self {
        Self { consent, stage: Some(stage) }
    }

    /// Ends it, and hands over what has to be shut down.
    pub(super) fn end(&self) -> Option<Handle<D>> {
        let mut reached = self.stage.as_ref()?.lock();
        match std::mem::replace(&mut *reached, Reached::Ended) {
            Reached::Started(started) => Some(started.handle),
            _ => None,
        }
    }

    fn started<R>(&self, use_it: impl FnOnce(&mut Started<D>) -> R) -> Option<R> {
        match &mut *self.stage.as_ref()?.lock() {
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
        self.started(|started| started.handle.report_now());
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
            Reached::Starting { api, token: waits } => {
                api.clone().with_token(token.clone())?;
                *waits = Some(token);
                Ok(())
            }
            Reached::Started(started) => started.set_token(token),
            Reached::Failed(_) | Reached::Ended => Ok(()),
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
        let Some(stage) = &self.stage else { return Status::idle(&self.consent, "off", None) };
        match &*stage.lock() {
            Reached::Starting { .. } => Status::idle(&self.consent, "starting", None),
            Reached::Started(started) => Status::of(&self.consent, &started.handle.status()),
            Reached::Failed(error) => {
                let words = error.as_ref().map(|error| format!("{error:#}"));
                Status::idle(&self.consent, "failed", words)
            }
            Reached::Ended => Status::idle(&self.consent, "stopped", None),
        }
    }

    /// The usage report that would go now, with fresh numbers. Nothing is sent.
    ///
    /// `None` while there is nothing to report, as where consent is off.
    ///
    /// # Errors
    ///
    /// What the application's collector says, or what is wrong with its numbers.
    pub fn preview(&self) -> Result<Option<Preview>, Box<dyn Error + Send + Sync>> {
        let what = self.started(|started| (Arc::clone(&started.numbers), started.api.clone()));
        // Not under the lock: the application may take its time.
        what.map(|(numbers, api)| numbers.preview(&api)).transpose()
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
    }
}

impl<D: Driver> fmt::Debug for Running<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("status", &self.status()).finish_non_exhaustive()
    }
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
