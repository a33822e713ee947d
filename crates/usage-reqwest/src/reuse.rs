//! Prefers a connection that is on its way back to the pool to a new one.
//!
//! A connection returns to the pool a moment after its answer has been read. A call within that
//! moment begins a new one; when the other returns first it is taken, but reqwest completes the new
//! one all the same, and calls one after the other would come to hold several.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::sleep;
use tower_layer::Layer;
use tower_service::Service;

use crate::request::Sent;

/// How long a new connection waits for another to return.
const PAUSE: Duration = Duration::from_millis(30);

/// The pause is made of short ones, in between which the runtime goes on: a time in which the whole
/// process stood still, as it does on a busy host, is not one in which a connection could return.
const STEPS: u32 = 10;

tokio::task_local! {
    /// The call that a connection is begun for.
    static CALL: Sent;
}

/// Runs `exchange` as a call whose request is watched by `sent`.
pub(crate) async fn call<F: Future>(sent: Sent, exchange: F) -> F::Output {
    CALL.scope(sent, exchange).await
}

/// Every connection of a client but the first waits a little, and is given up if its call has gone
/// out by another meanwhile.
#[derive(Clone)]
pub(crate) struct Reuse {
    step: Duration,
}

impl Reuse {
    pub(crate) fn within(connect_deadline: Duration) -> Self {
        Self { step: PAUSE.min(connect_deadline / 4) / STEPS }
    }
}

impl<C> Layer<C> for Reuse {
    type Service = Reusing<C>;

    fn layer(&self, connector: C) -> Reusing<C> {
        Reusing { connector, step: self.step, begun: Arc::default() }
    }
}

#[derive(Clone)]
pub(crate) struct Reusing<C> {
    connector: C,
    step: Duration,
    /// Whether there has been a connection.
    begun: Arc<AtomicBool>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<C, To> Service<To> for Reusing<C>
where
    C: Service<To, Error = BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, to: To) -> Self::Future {
        // Nothing happens before it is awaited.
        let connecting = self.connector.call(to);
        if !self.begun.swap(true, Ordering::Relaxed) {
            return Box::pin(connecting);
        }
        let step = self.step;
        let sent = CALL.try_with(Sent::clone).unwrap_or_default();
        Box::pin(async move {
            for _ in 0..STEPS {
                sleep(step).await;
                if sent.get() {
                    return Err(NOT_NEEDED.into());
                }
            }
            connecting.await
        })
    }
}

/// Nobody sees it.
const NOT_NEEDED: &str = "another connection returned first";
