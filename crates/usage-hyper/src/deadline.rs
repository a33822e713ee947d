//! Deadlines: of anything, and of the body of an answer.

use std::{panic::AssertUnwindSafe, panic::catch_unwind, pin::pin, time::Duration};

use hyper::{Response, body::Body, body::Bytes};
use tokio::{runtime::Handle, time::Instant, time::timeout_at};
use usage_proto::{Collector, TransportError};

use crate::client::Answer;

/// A point in time after which nobody waits any more, and the error of that. There is none of
/// [`Duration::MAX`].
pub(crate) struct Deadline(Instant, Duration, fn(Duration) -> TransportError);

impl Deadline {
    /// The deadline that is `after` from now; nobody waits for a year.
    pub(crate) fn new(after: Duration, error: fn(Duration) -> TransportError) -> Self {
        Self(Instant::now() + after.min(Duration::from_secs(365 * 24 * 60 * 60)), after, error)
    }

    /// What `future` gives before the deadline.
    pub(crate) async fn limit<F: Future>(&self, future: F) -> Result<F::Output, TransportError> {
        Handle::try_current().map_err(|_| TransportError::no_runtime())?;
        match Instant::now() {
            _ if self.1 == Duration::MAX => return Ok(future.await),
            now if self.0 <= now => return Err(self.2(self.1)),
            _ => {}
        }
        // It is by a panic alone that tokio tells of a runtime without its time driver.
        let limited = catch_unwind(AssertUnwindSafe(|| timeout_at(self.0, future)));
        let limited = pin!(limited.map_err(|_| TransportError::no_runtime())?);
        limited.await.map_err(|_| self.2(self.1))
    }

    /// An answer with its body, which has `max` bytes at most. If that breaks off, by the deadline
    /// too, with what came of it.
    pub(crate) async fn read(&self, from: Response<impl Body<Data = Bytes>>, max: usize) -> Answer {
        let (parts, body) = from.into_parts();
        let mut answer = Collector::new(parts, max)?;
        let is_whole = self.limit(answer.read(body)).await.is_ok_and(|is_whole| is_whole);
        Ok(if is_whole { answer.finish() } else { answer.break_off() })
    }
}
