use std::fmt;
use std::sync::Arc;

use usage_proto::{Api, BuildError, Saveable, Server, Token};

use super::shared::{Clock, Shared};
use crate::status::Status;
use crate::submit_error::SubmitError;

/// A reporter that is being driven: by [`blocking::Thread`](crate::blocking::Thread) or by
/// [`tokio::Task`](crate::tokio::Task).
#[expect(private_bounds, reason = "sealed: the drivers are this crate's")]
pub trait Driver: Clock {}

/// The way to a reporter that a driver runs. Clones lead to the same one.
///
/// Every call is short, whatever the API does: none waits for a connection, an answer or a disk,
/// but for `shutdown`, which waits as long as it is told to.
///
/// When the last handle is dropped, the reporter starts nothing more and ends by itself, without
/// anyone waiting for it. What waits to be sent is lost then: `shutdown` sends it. Where nothing was
/// sent by then, the log says so.
///
/// # Processes that fork
///
/// A child that a process forks has no thread that drives the reporter. Its handle is closed from the
/// start: it takes nothing, and `shutdown` returns at once. The parent's goes on, and so does its lock
/// on a state file, which the child does not share. A program that puts itself into the background
/// spawns a driver after that.
#[must_use = "the reporter stops when its last handle is dropped"]
pub struct Handle<D: Driver> {
    owner: Arc<Owner<D>>,
}

/// Closes the reporter when the last handle goes.
struct Owner<D: Driver> {
    shared: Arc<Shared<D>>,
}

impl<D: Driver> Handle<D> {
    pub(crate) fn new(shared: Arc<Shared<D>>) -> Self {
        Self { owner: Arc::new(Owner { shared }) }
    }

    /// Sends statistics as soon as possible. When there is no room for them, older ones are
    /// dropped ([`Config::pending`](crate::Config::pending)).
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if they are not taken.
    pub fn push_stats<P: Saveable + ?Sized>(&self, stats: &P) -> Result<(), SubmitError> {
        self.shared().ok_or(SubmitError::Closed)?.push_stats(stats)
    }

    /// Registers the server once more, such as after the customer has registered. A registration that
    /// still waits gives way to it.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if it is not taken.
    pub fn register(&self, server: &Server) -> Result<(), SubmitError> {
        self.shared().ok_or(SubmitError::Closed)?.register(server)
    }

    /// Makes usage due now. The schedule counts on from there.
    pub fn report_now(&self) {
        if let Some(shared) = self.shared() {
            shared.report_now();
        }
    }

    /// Reports with this token from now on: the customer has registered.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the token may not travel to the API, as over plain `http`. The API stays
    /// as it was.
    pub fn set_token(&self, token: Token) -> Result<(), BuildError> {
        self.shared()
            .map_or(Ok(()), |shared| shared.change_api(|api| api.clone().with_token(token)))
    }

    /// Reports to this API from now on ([`Reporter::set_api`](crate::Reporter::set_api)).
    pub fn set_api(&self, api: Api) {
        // The change itself cannot fail.
        let _ = self.shared().map(|shared| shared.change_api(|_| Ok(api)));
    }

    /// How the reporting is going.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared().map_or_else(Status::of_nobody, Shared::status)
    }

    /// The reporter, unless this is a child of the process that drives it: nobody drives its copy,
    /// and a lock in it may never open.
    pub(super) fn shared(&self) -> Option<&Shared<D>> {
        self.owner.shared.is_of_this_process().then_some(&*self.owner.shared)
    }
}

impl<D: Driver> Clone for Handle<D> {
    fn clone(&self) -> Self {
        Self { owner: Arc::clone(&self.owner) }
    }
}

impl<D: Driver> fmt::Debug for Handle<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl<D: Driver> Drop for Owner<D> {
    fn drop(&mut self) {
        if self.shared.is_of_this_process() {
            self.shared.abandon_unused();
        }
    }
}
