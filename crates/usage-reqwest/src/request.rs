//! A request that tells whether any of it may have left.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::{Body, Frame, SizeHint};

/// Whether any of a request may have left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent(Arc<AtomicBool>);

impl Sent {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The request as reqwest takes it. `deadline` is over everything, the body of the answer included.
pub(crate) fn request(
    request: Request<Bytes>,
    deadline: Duration,
) -> (reqwest::Result<reqwest::Request>, Sent) {
    let sent = Sent::default();
    let watch = sent.clone();
    let request = request.map(|bytes| reqwest::Body::wrap(Watched { bytes, sent: watch }));
    let request = reqwest::Request::try_from(request).map(|mut request| {
        *request.timeout_mut() = Some(deadline);
        request
    });
    (request, sent)
}

/// The body, which is the one part of a request that reqwest lets see the connection.
///
/// hyper asks a body whether it is empty just before it writes the head, and in no earlier step;
/// a version of hyper that asked earlier would only make `sent` more careful.
struct Watched {
    bytes: Bytes,
    sent: Sent,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sent.set();
        let bytes = mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent.set();
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}
