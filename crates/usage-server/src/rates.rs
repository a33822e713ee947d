//! Who sends more than one may.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequest, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::body_bytes::{Received, Whole};
use crate::client_address::ClientAddress;
use crate::limits::Rate;
use crate::meters::Route;
use crate::places::one_of;
use crate::refusal::{Refusal, Sender};

/// Answers a request, unless there were too many from its address.
pub(crate) async fn address(app: &Arc<App>, request: Request, next: Next) -> Response {
    let terms = app.terms();
    let rate = terms.limits.address;
    if !rate.is_limited() || is_probe(&request) {
        return next.run(request).await;
    }
    let key = ClientAddress::of(&request, &terms).0.map(one_of);
    if let Err(wait) = app.by_address.take(key, rate, Instant::now()) {
        // The body is read all the same, so that the connection can go on.
        let refusal = match Whole::from_request(request, app).await {
            Ok(_) => Refusal::TooMany { of: Sender::Address, wait },
            Err(refusal) => refusal,
        };
        return refusal.into_response();
    }
    let received = request.extensions().get().cloned().unwrap_or_default();
    let _spending = Spending { app: app.clone(), key, rate, received };
    next.run(request).await
}

/// Whoever watches a server that is busy is not to be told that it is dead.
fn is_probe(request: &Request) -> bool {
    matches!(Route::of(request.uri().path()), Route::Health | Route::Ready)
}

/// Counts a report with a token, unless there were too many.
pub(crate) fn token(app: &App, token_id: i64, bytes: usize) -> Result<(), Refusal> {
    let rate = app.terms().limits.token;
    if !rate.is_limited() {
        return Ok(());
    }
    let now = Instant::now();
    app.by_token
        .take(token_id, rate, now)
        .map_err(|wait| Refusal::TooMany { of: Sender::Token, wait })?;
    app.by_token.spend(token_id, rate, bytes as u64, now);
    Ok(())
}

/// What has come is counted at the end, whether that is an answer or not: how long a body is may
/// not be known before.
struct Spending {
    app: Arc<App>,
    key: Option<IpAddr>,
    rate: Rate,
    received: Received,
}

impl Drop for Spending {
    fn drop(&mut self) {
        let bytes = self.received.bytes();
        self.app.by_address.spend(self.key, self.rate, bytes, Instant::now());
    }
}
