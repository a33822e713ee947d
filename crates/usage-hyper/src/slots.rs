//! A bound on the connections of one client.
//!
//! hyper-util opens a connection whenever none is idle, be one about to be, and finishes it in the
//! background if another becomes idle first: calls one after the other would open a few, and calls
//! at once more than they are. Here a connection takes a slot, of which there is a number, and a
//! further one waits a moment first. If meanwhile its request has got another, it is not opened.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::deadline::SharedTimer;

/// How many connections one client has at most, idle ones included.
pub(crate) const CONNECTIONS: usize = 64;

/// Time enough for a connection whose answer has been read to go back to the pool.
const MOMENT: Duration = Duration::from_millis(20);

/// The right to one connection, for as long as it is held.
pub(crate) type Slot = OwnedSemaphorePermit;

pub(crate) struct Slots(Arc<Semaphore>);

impl Slots {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(CONNECTIONS)))
    }

    /// A slot, or `None` if its request has got another connection.
    pub(crate) async fn take(&self, timer: &SharedTimer, within: Duration) -> Option<Slot> {
        let slot = unless_served(Arc::clone(&self.0).acquire_owned()).await?.ok()?;
        if self.0.available_permits() + 1 < CONNECTIONS {
            // Most of a short deadline is for the connection itself.
            unless_served(timer.sleep(MOMENT.min(within / 4))).await?;
        }
        Some(slot)
    }
}

tokio::task_local! {
    static BACKGROUND: ();
}

/// What `future` gives, or `None` if it is not there yet and nobody waits for it any more, since
/// hyper-util has moved it to the background.
async fn unless_served<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Pending if BACKGROUND.try_with(|()| ()).is_ok() => Poll::Ready(None),
        poll => poll.map(Some),
    })
    .await
}

/// Spawns on tokio what hyper-util leaves to the background, and marks it as such. Where the
/// application has set another executor, what nobody waits for any more is finished all the same.
#[derive(Clone)]
pub(crate) struct Background;

impl<F> Executor<F> for Background
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        tokio::spawn(BACKGROUND.scope((), future));
    }
}
