//! Deadlines, by whatever timer there is.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::rt::{Sleep, Timer};

/// The timer of a client.
pub(crate) type SharedTimer = Arc<dyn Timer + Send + Sync>;

/// A timer of the application's may add this to a time of day, which must not overflow; nobody
/// waits for a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A point in time after which nobody waits any more.
pub(crate) struct Deadline {
    /// `None` once it has passed.
    sleep: Option<Pin<Box<dyn Sleep>>>,
}

impl Deadline {
    /// The deadline that is `after` from now; zero has passed already.
    pub(crate) fn start(timer: &SharedTimer, after: Duration) -> Self {
        Self { sleep: (!after.is_zero()).then(|| timer.sleep(after.min(LONGEST))) }
    }

    /// What `future` gives, or `None` if the deadline passes first.
    pub(crate) async fn limit<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let sleep = self.sleep.as_mut()?;
        let output = poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
        })
        .await;
        if output.is_none() {
            self.sleep = None;
        }
        output
    }
}
