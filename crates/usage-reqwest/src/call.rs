//! One call: from a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use usage_proto::{Deadlines, TransportError};

use crate::error::{Circumstances, Next, Passed, transport_error, was_canceled};
use crate::{body, request, reuse};

/// What a call needs of its client.
pub(crate) struct Call {
    pub(crate) http: reqwest::Client,
    /// How many calls may go on at once.
    pub(crate) turns: Arc<Semaphore>,
    /// Host and port of the proxy.
    pub(crate) proxy: Option<Arc<str>>,
    pub(crate) deadlines: Deadlines,
    /// The response limit.
    pub(crate) limit: usize,
}

impl Call {
    pub(crate) async fn run(
        self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let next = match (request.uri().scheme() == Some(&Scheme::HTTPS), &self.proxy) {
            (true, None) => Next::Handshake,
            (true, Some(_)) => Next::Tunnel,
            (false, _) => Next::Request,
        };
        #[cfg(not(feature = "tls"))]
        if next != Next::Request {
            return Err(TransportError::tls(NO_TLS).not_retryable());
        }
        if Handle::try_current().is_err() {
            return Err(TransportError::other(NO_RUNTIME).not_sent().not_retryable());
        }
        let begun = Instant::now();
        let total = self.deadlines.total;
        sleep(TICK.min(total)).await;
        let turn = timeout(total, self.turns.acquire()).await;
        let mut attempt = 1;
        let (response, sent) = loop {
            let left = total.saturating_sub(begun.elapsed());
            // The runtime's clock has ticks: a deadline of zero would pass at the first, and a
            // request could leave before it.
            if turn.is_err() || left.is_zero() {
                return Err(TransportError::timeout(Passed::Total(total)).not_sent());
            }
            let (request, sent) = request::request(request.clone(), left);
            let response = match request {
                Ok(request) => reuse::call(sent.clone(), self.http.execute(request)).await,
                Err(error) => Err(error),
            };
            match &response {
                Err(error) if attempt < ATTEMPTS && !sent.get() && was_canceled(error) => {
                    attempt += 1;
                }
                _ => break (response, sent),
            }
        };
        match response {
            Ok(response) => body::collect(response, self.limit).await,
            Err(error) => Err(transport_error(
                error,
                &Circumstances {
                    sent: sent.get(),
                    next,
                    proxy: self.proxy.as_deref(),
                    deadlines: self.deadlines,
                    elapsed: begun.elapsed(),
                },
            )),
        }
    }
}

/// How often a request is handed to reqwest, if its connection ended before hyper had taken it: why
/// it ended is not told then, and nothing was sent.
const ATTEMPTS: u32 = 4;

/// In this time the runtime learns which connections in the pool the server has closed: no timer
/// passes before it has looked. On one that it has not heard of yet, a request would be lost.
const TICK: Duration = Duration::from_millis(1);

const NO_RUNTIME: &str = "there is no tokio runtime here: await the future in one";
#[cfg(not(feature = "tls"))]
const NO_TLS: &str = "https is not built in: turn on the feature `tls` of usage-reqwest";
