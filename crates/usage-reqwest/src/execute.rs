//! One call: from a request to its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::{fmt, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::runtime::{Handle, RuntimeFlavor::CurrentThread};
use tokio::{task::yield_now, time::timeout};
use usage_proto::TransportError;

use crate::{client::Client, lookup::on_thread};

/// The future of [`Client::execute`]: awaits the answer.
///
/// Nothing is sent before it is polled, and dropping it cancels the request.
#[must_use = "nothing is sent unless the future is awaited"]
pub struct Execute(pub(crate) Pin<Box<dyn Future<Output = Outcome> + Send>>);

type Outcome = Result<Response<Bytes>, TransportError>;

impl Future for Execute {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        // Whether the drivers of a runtime are on cannot be asked: tokio panics where they are not.
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err(TransportError::other(PANIC).not_retryable())))
    }
}

impl fmt::Debug for Execute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute").finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) async fn call(&self, request: Request<Bytes>) -> Outcome {
        let Ok(runtime) = Handle::try_current() else { return Err(TransportError::no_runtime()) };
        // The clock of the runtime has ticks: something could leave before the first.
        if self.total.is_zero() {
            return Err(TransportError::total_deadline(self.total).not_sent());
        }
        let (mut begun, mut answer) = (false, None);
        let exchange = async {
            let _turn = self.turns.acquire().await;
            // A connection returns to reqwest's pool in a task of its own, a moment after its
            // answer was read. A call in that moment opens another: where many go on at once, they
            // would come to hold more than one each. And on a single thread nobody has heard yet
            // of connections that were closed while it was busy elsewhere: a request on one of
            // these would be lost.
            let crowded = self.turns.available_permits() < Self::CONNECTIONS / 2;
            for _ in 0..3 * u8::from(crowded || runtime.runtime_flavor() == CurrentThread) {
                yield_now().await;
            }
            let make = Arc::clone(&self.make);
            let make = async || on_thread(move || make()).await.map_err(TransportError::connect)?;
            let http = self.http.get_or_try_init(make).await?;
            // What cannot be cloned is sent once, whatever the client would do by itself. Where it
            // went before, as at a redirect, is not told by an error of what came next.
            // Nobody asks for a body that is empty.
            let taken = Arc::new(AtomicBool::new(request.body().is_empty()));
            let mark = Arc::clone(&taken);
            let take = |bytes| Full::new(bytes).inspect_frame(move |_| mark.store(true, Relaxed));
            let request = request.map(|bytes| reqwest::Body::wrap(take(bytes))).try_into();
            let request: reqwest::Request = request.map_err(Self::unusable)?;
            let asked = request.url().clone();
            begun = true;
            let explain = |error| self.explain(error, &asked, taken.load(Relaxed));
            let response = http.execute(request).await.map_err(explain)?;
            if *response.url() != asked {
                return Err(TransportError::other(FOLLOWED).not_retryable());
            }
            let (head, body) = Response::from(response).into_parts();
            Ok(answer.insert(self.api().receive(head)?).read(body).await)
        };
        match (timeout(self.total, exchange).await, answer) {
            (Ok(Err(error)), _) => Err(error),
            (Ok(Ok(true)), Some(answer)) => Ok(answer.finish()),
            (_, Some(answer)) => Ok(answer.break_off()),
            (_, None) if begun => Err(TransportError::total_deadline(self.total)),
            (_, None) => Err(TransportError::total_deadline(self.total).not_sent()),
        }
    }
}

const FOLLOWED: &str =
    "reqwest has followed a redirect: set `redirect::Policy::none()` on its client";
const PANIC: &str = "reqwest has panicked: are the IO and time drivers of the tokio runtime on?";
