//! What happens around every request: it is counted and logged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::body_bytes::Received;
use crate::client_address::ClientAddress;
use crate::json_answer::{Failure, Organisation};
use crate::meters::Route;
use crate::refused::Refused;
use crate::request_log::{self, RequestLog};

pub(crate) async fn observe(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut entry = Entry::begin(app, &request);
    request.extensions_mut().insert(entry.received.clone());
    let mut response = next.run(request).await;
    entry.log.status = Some(response.status());
    let notes = response.extensions_mut();
    entry.log.organisation = notes.remove().map(|Organisation(name)| name);
    entry.log.failure = notes.remove().map(|Failure(message)| message);
    entry.log.refused = notes.remove::<Refused>();
    response
}

/// A request from its head to its answer, or to the end of its connection: it ends when this is
/// dropped.
struct Entry {
    app: Arc<App>,
    begun: Instant,
    received: Received,
    route: Route,
    log: RequestLog,
}

impl Entry {
    fn begin(app: Arc<App>, request: &Request) -> Self {
        app.request_begins();
        let log = RequestLog {
            method: request.method().clone(),
            path: request_log::path(request.uri().path()),
            status: None,
            duration: Duration::ZERO,
            body_bytes: 0,
            organisation: None,
            failure: None,
            refused: None,
            address: ClientAddress::of(request, &app.terms()).0,
        };
        let route = Route::of(request.uri().path());
        Self { app, begun: Instant::now(), received: Received::default(), route, log }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.app.request_ends();
        self.log.duration = self.begun.elapsed();
        self.log.body_bytes = self.received.bytes();
        let RequestLog { status, duration, body_bytes, refused, .. } = self.log;
        self.app.meters.request(self.route, status, duration, body_bytes);
        if let Some(reason) = refused {
            self.app.meters.refused(reason);
            self.app.store.note_refusal(reason.as_str());
        }
        if let Some(log) = &self.app.config.log {
            log(&self.log);
        }
    }
}
