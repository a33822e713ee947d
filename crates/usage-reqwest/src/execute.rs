//! One call: from a request to its answer.

use std::net::{Ipv4Addr, UdpSocket};
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};
use usage_proto::{Collector, Proxy, TransportError};

use crate::config::CONNECTIONS;
use crate::error::{Followed, transport_error};

/// The future of [`Client::execute`](crate::Client::execute): awaits the answer.
///
/// Nothing is sent before it is polled, and dropping it cancels the request.
#[must_use = "nothing is sent unless the future is awaited"]
pub struct Execute(Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send>>);

impl Execute {
    pub(crate) fn new(call: Call, request: Request<Bytes>) -> Self {
        let uri = request.uri().clone();
        Self(Box::pin(async move { call.run(request).await.map_err(|error| error.at(&uri)) }))
    }
}

impl Future for Execute {
    type Output = Result<Response<Bytes>, TransportError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Whether the drivers of a runtime are on cannot be asked: tokio panics where they are not.
        match panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(panic) if has_drivers() => panic::resume_unwind(panic),
            Err(_) => Poll::Ready(Err(TransportError::no_runtime())),
        }
    }
}

impl fmt::Debug for Execute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute").finish_non_exhaustive()
    }
}

/// What a call needs of its client.
pub(crate) struct Call {
    pub(crate) http: reqwest::Client,
    /// How many calls may go on at once.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) proxy: Option<Arc<Proxy>>,
    pub(crate) total: Duration,
    /// The connect deadline, if the client is of our making.
    pub(crate) connect: Option<Duration>,
    /// The response limit.
    pub(crate) limit: usize,
}

/// How far a call has come.
#[derive(Default)]
struct Progress {
    begun: bool,
    answer: Option<Collector>,
}

impl Call {
    async fn run(self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        #[cfg(not(feature = "tls"))]
        if self.connect.is_some() && request.uri().scheme() == Some(&http::uri::Scheme::HTTPS) {
            return Err(TransportError::tls_not_built_in("usage-reqwest"));
        }
        if Handle::try_current().is_err() {
            return Err(TransportError::no_runtime());
        }
        let total = self.total;
        let mut progress = Progress::default();
        // A deadline is looked at after the future that it is for.
        let ended = match total.is_zero() {
            true => Ok(false),
            false => {
                timeout(total, self.exchange(request, &mut progress)).await.unwrap_or(Ok(false))
            }
        };
        match (ended?, progress.answer) {
            (true, Some(answer)) => Ok(answer.finish()),
            (false, Some(answer)) => Ok(answer.break_off()),
            (_, None) if progress.begun => Err(TransportError::total_deadline(total)),
            (_, None) => Err(TransportError::total_deadline(total).not_sent()),
        }
    }

    /// Whether all came that is wanted.
    async fn exchange(
        self,
        request: Request<Bytes>,
        progress: &mut Progress,
    ) -> Result<bool, TransportError> {
        let _turn = self.turns.acquire().await;
        for _ in 0..self.rounds() {
            yield_now().await;
        }
        let refused = |error| TransportError::other(error).not_sent().not_retryable();
        // What cannot be cloned is sent once, whatever the client would do by itself.
        let request = request.map(|bytes| reqwest::Body::wrap(Full::new(bytes)));
        let request = reqwest::Request::try_from(request)
            .map_err(|error: reqwest::Error| refused(error.without_url()))?;
        let asked = request.url().clone();
        progress.begun = true;
        let mut response = self.http.execute(request).await.map_err(|error| {
            let error = transport_error(error, &asked, self.connect);
            match &self.proxy {
                Some(proxy) if !error.may_have_been_sent() => error.through(proxy),
                _ => error,
            }
        })?;
        if *response.url() != asked {
            let elsewhere = Followed(response.url().origin().ascii_serialization());
            return Err(TransportError::other(elsewhere).not_retryable());
        }
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = response.status();
        head.version = response.version();
        head.headers = std::mem::take(response.headers_mut());
        let answer = progress.answer.insert(Collector::new(head, self.limit)?);
        // Reading goes on to the end of a body within the limit: only then is the connection reused.
        while answer.wants_more() {
            match response.chunk().await {
                Ok(Some(chunk)) => answer.push(chunk),
                ended => return Ok(ended.is_ok()),
            }
        }
        Ok(true)
    }
}

impl Call {
    /// How often a call lets other tasks go first, before it asks for a connection.
    ///
    /// A connection returns to reqwest's pool in a task of its own, a moment after its answer has
    /// been read. A call within that moment opens another one: where many go on at once, they would
    /// come to hold more than one each. And on a single thread nobody has heard yet of connections
    /// that were closed while it was busy elsewhere: a request on one of these would be lost.
    fn rounds(&self) -> u32 {
        let single = || Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
        match self.turns.available_permits() {
            free if free < CONNECTIONS / 2 => 4,
            _ if single() => 2,
            _ => 0,
        }
    }
}

/// Whether the runtime in which this is called has its time and IO drivers on.
fn has_drivers() -> bool {
    let socket = || -> io::Result<_> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket)
    };
    panic::catch_unwind(|| (drop(sleep(Duration::ZERO)), drop(socket()))).is_ok()
}
