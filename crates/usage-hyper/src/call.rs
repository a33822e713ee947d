//! One call: a request, and its answer or the reason why there is none.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper_util::client::legacy::connect::capture_connection;
use tokio::runtime::Handle;
use tower_service::Service;
use usage_proto::{Deadlines, TransportError};

use crate::body;
use crate::deadline::{Deadline, SharedTimer};
use crate::error::{BoxError, CallError, transport_error};

/// What a call needs of its client.
pub(crate) struct Call<S> {
    pub(crate) service: S,
    /// Whether the service is [`HttpService`](crate::HttpService), of which more is known.
    pub(crate) ready_made: bool,
    pub(crate) timer: SharedTimer,
    pub(crate) deadlines: Deadlines,
    pub(crate) limit: usize,
}

impl<S, B> Call<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Into<BoxError>>,
    B: Body,
{
    pub(crate) async fn run(
        self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        // Without one, tokio would panic.
        if self.ready_made && Handle::try_current().is_err() {
            return Err(TransportError::other(CallError::NoRuntime).not_sent().not_retryable());
        }
        let mut deadline = Deadline::start(&self.timer, self.deadlines.total);
        if self.ready_made {
            // If the deadline passes meanwhile, it has passed for what comes next as well.
            let _ = deadline.limit(self.timer.sleep(TICK)).await;
        }
        let mut request = request.map(Full::new);
        // Tells when the request is about to go out, if the service is one that tells.
        let connection = capture_connection(&mut request);
        match deadline.limit(answer(self.service, request)).await {
            Some(Ok(response)) => body::collect(response, self.limit, &mut deadline).await,
            Some(Err(error)) => Err(transport_error(error.into())),
            None => {
                let error = TransportError::timeout(CallError::Deadline(self.deadlines.total));
                let unsent = self.ready_made && connection.connection_metadata().is_none();
                Err(if unsent { error.not_sent() } else { error })
            }
        }
    }
}

/// In this time the runtime learns which connections in the pool the server has closed: no timer
/// passes before it has looked. On one that it has not heard of yet, a request would be lost.
const TICK: Duration = Duration::from_millis(1);

async fn answer<S, R>(mut service: S, request: R) -> Result<S::Response, S::Error>
where
    S: Service<R>,
{
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}
