//! How far a start is.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use usage_proto::{Api, BuildError, Server, Token};
use usage_reporter::{Driver, Handle};

use super::collect::Collect;
use super::host::Numbers;
use super::preview::{Preview, PreviewError};
use super::start_error::StartError;

/// How long a start waits for the disk. What takes longer goes on behind it.
const PATIENCE: Duration = Duration::from_millis(80);

/// How far the start is. It goes on behind a start that would take too long.
pub(super) struct Stage<D: Driver> {
    reached: Mutex<Reached<D>>,
    changed: Condvar,
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    told: tokio::sync::Notify,
}

pub(super) enum Reached<D: Driver> {
    Starting {
        api: Api,
        /// What came before the start was over.
        token: Option<Token>,
        /// Somebody wants a report out of turn.
        report_now: bool,
    },
    Started(Box<Started<D>>),
    /// Told by `start`, or shown by the status if `start` had returned already.
    Failed(Option<StartError>),
    /// It was stopped. The handle of what ran tells how it went.
    Ended(Option<Handle<D>>),
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
    fn preview(&self, api: &Api) -> Result<Preview, PreviewError>;
}

impl<C: Collect<M>, M> Previewed for Numbers<C, M> {
    fn preview(&self, api: &Api) -> Result<Preview, PreviewError> {
        let usage = self.usage().map_err(PreviewError::Collect)?;
        Ok(Preview::new(api.build_request(&usage)?))
    }
}

impl<D: Driver> Started<D> {
    pub(super) fn set_token(&mut self, token: Token) -> Result<(), BuildError> {
        self.api = self.api.clone().with_token(token.clone())?;
        self.handle.set_token(token)?;
        // What waits to be registered already goes with the new token.
        let _ = self.handle.register(&self.server);
        Ok(())
    }
}

impl<D: Driver> Stage<D> {
    pub(super) fn starting(api: Api) -> Arc<Self> {
        Arc::new(Self {
            reached: Mutex::new(Reached::Starting { api, token: None, report_now: false }),
            changed: Condvar::new(),
            #[cfg(any(feature = "reqwest", feature = "hyper"))]
            told: tokio::sync::Notify::new(),
        })
    }

    /// Tells what became of the start.
    pub(super) fn reach(&self, result: Result<Started<D>, StartError>) {
        let mut reached = self.lock();
        let Reached::Starting { token, report_now, .. } = &mut *reached else { return };
        let (token, report_now) = (token.take(), *report_now);
        *reached = match result {
            Ok(mut started) => {
                if let Some(token) = token {
                    // It was found to be one that may travel.
                    let _ = started.set_token(token);
                }
                if report_now {
                    started.handle.report_now();
                }
                Reached::Started(Box::new(started))
            }
            Err(error) => Reached::Failed(Some(error)),
        };
        self.changed.notify_all();
        #[cfg(any(feature = "reqwest", feature = "hyper"))]
        self.told.notify_waiters();
    }

    /// Waits a moment for the start. The error is told here, or logged later.
    pub(super) fn settle(&self) -> Result<(), StartError> {
        match &mut *self.wait(PATIENCE) {
            Reached::Failed(error) => error.take().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    /// Waits for the start, `limit` at the most.
    pub(super) fn wait(&self, limit: Duration) -> MutexGuard<'_, Reached<D>> {
        let starting = |reached: &mut Reached<D>| matches!(reached, Reached::Starting { .. });
        let waited = self.changed.wait_timeout_while(self.lock(), limit, starting);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The same without a thread that waits.
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    pub(super) async fn wait_on_tokio(&self, limit: Duration) {
        let started = async {
            loop {
                let mut told = std::pin::pin!(self.told.notified());
                // From here on a change is not missed.
                told.as_mut().enable();
                if !matches!(*self.lock(), Reached::Starting { .. }) {
                    return;
                }
                told.await;
            }
        };
        // Who waited in vain finds it starting.
        let _ = tokio::time::timeout(limit, started).await;
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Reached<D>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
