//! A save that is under way.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};

use crate::api::Api;
use crate::error::{BuildError, Error, TransportError};
use crate::saveable::Saveable;
use crate::saved::Saved;

/// The future of an async adapter's `save`: awaits the answer and judges it.
///
/// It holds no borrow of the payload, which was encoded when the future was made. It is [`Send`] if
/// the adapter's future `F` is. Nothing is sent before it is polled, and dropping it cancels the
/// request.
#[must_use = "nothing is sent unless the future is awaited"]
pub struct Saving<F> {
    api: Api,
    state: State<F>,
}

enum State<F> {
    /// The request could not be built; `None` once that was told.
    Refused(Option<BuildError>),
    Awaited(F),
}

impl<F> Saving<F> {
    /// Builds the request for `payload` and lets `execute` begin with it.
    pub fn new<P: Saveable + ?Sized>(
        api: &Api,
        payload: &P,
        execute: impl FnOnce(Request<Bytes>) -> F,
    ) -> Self {
        let state = match api.build_request(payload) {
            Ok(request) => State::Awaited(execute(request)),
            Err(error) => State::Refused(Some(error)),
        };
        Self { api: api.clone(), state }
    }
}

impl<F> Future for Saving<F>
where
    F: Future<Output = Result<Response<Bytes>, TransportError>> + Unpin,
{
    type Output = Result<Saved, Error>;

    /// # Panics
    ///
    /// If it is polled again after it has given its result.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match &mut this.state {
            #[expect(clippy::expect_used, reason = "a future is not polled after its result")]
            State::Refused(error) => {
                Poll::Ready(Err(error.take().expect("polled after its result").into()))
            }
            State::Awaited(answer) => {
                Pin::new(answer).poll(cx).map(|answer| Ok(this.api.parse_response(answer?)?))
            }
        }
    }
}

impl<F> fmt::Debug for Saving<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving").field("api", &self.api).finish_non_exhaustive()
    }
}
