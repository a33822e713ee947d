use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
/// anyone waiting for it. What waits to be sent is lost then: `shutdown` sends it.
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
        self.owner.shared.push_stats(stats)
    }

    /// Registers the server once more, such as after the customer has registered. A registration that
    /// still waits gives way to it.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if it is not taken.
    pub fn register(&self, server: &Server) -> Result<(), SubmitError> {
        self.owner.shared.register(server)
    }

    /// Makes usage due now. The schedule counts on from there.
    pub fn report_now(&self) {
        self.owner.shared.report_now();
    }

    /// Reports with this token from now on: the customer has registered.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the token may not travel to the API, as over plain `http`. The API stays
    /// as it was.
    pub fn set_token(&self, token: Token) -> Result<(), BuildError> {
        self.owner.shared.change_api(|api| api.clone().with_token(token))
    }

    /// Reports to this API from now on ([`Reporter::set_api`](crate::Reporter::set_api)).
    pub fn set_api(&self, api: Api) {
        // The change itself cannot fail.
        let _ = self.owner.shared.change_api(|_| Ok(api));
    }

    /// How the reporting is going.
    #[must_use]
    pub fn status(&self) -> Status {
        self.owner.shared.status()
    }

    pub(crate) fn shared(&self) -> &Shared<D> {
        &self.owner.shared
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
        self.shared.close(Duration::ZERO);
    }
}
