//! What happens around every request: its body is read, and it is counted and logged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::RequestLog;
use crate::answer::{Failure, Organisation};
use crate::app::App;
use crate::{body, log};

/// Reads the body before anything looks at the request: whatever the answer is, a client that
/// sends first and reads later can have it, and the connection can go on.
pub(crate) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut entry = Entry::begin(app.clone(), &request);
    let (parts, body) = request.into_parts();
    let received = body::receive(body, &app.config, &mut entry.log.body_bytes).await;
    let mut response = match received {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(refusal) => refusal.into_response(),
    };
    entry.log.status = Some(response.status());
    let notes = response.extensions_mut();
    entry.log.organisation = notes.remove().map(|Organisation(name)| name);
    entry.log.failure = notes.remove().map(|Failure(message)| message);
    response
}

/// A request from its head to its answer, or to the end of its connection: it ends when this is
/// dropped.
struct Entry {
    app: Arc<App>,
    begun: Instant,
    log: RequestLog,
}

impl Entry {
    fn begin(app: Arc<App>, request: &Request) -> Self {
        app.request_begins();
        let log = RequestLog {
            method: request.method().clone(),
            path: log::path(request.uri().path()),
            status: None,
            duration: Duration::ZERO,
            body_bytes: 0,
            organisation: None,
            failure: None,
        };
        Self { app, begun: Instant::now(), log }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.app.request_ends();
        if let Some(log) = &self.app.config.log {
            self.log.duration = self.begun.elapsed();
            log(&self.log);
        }
    }
}
