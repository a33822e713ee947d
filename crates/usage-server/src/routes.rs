//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use usage_proto::SimpleError;

use crate::app::App;
use crate::body_bytes::Whole;
use crate::body_to_row::to_row;
use crate::json_answer::{self, Failure, Organisation};
use crate::observe::observe;
use crate::refusal::Refusal;
use crate::store::error::StoreError;
use crate::store::row::{Kind, Report};
use crate::store::sender::{Sender, TokenState};
use crate::store::token_hash::TokenHash;
use crate::{key_header, registration, request_rules, token_header};

/// How long the database may take to show that it is there.
const HEALTH_DEADLINE: Duration = Duration::from_secs(5);

pub(crate) fn router(app: &Arc<App>) -> Router {
    let routes = Router::new()
        .route("/api/v1/servers", post(save))
        .route("/api/v1/stats/{product}", post(save))
        .route("/api/v1/usage/{product}", post(save))
        .route("/healthz", get(health))
        .route("/start", get(registration::start).post(registration::submit))
        .fallback(async |_: Whole| Refusal::UnknownRoute)
        .method_not_allowed_fallback(async |_: Whole| Refusal::WrongMethod)
        .with_state(app.clone());
    // Around the routes as a whole: which one it is depends on what stands here.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(enter))
        .layer(from_fn_with_state(app.clone(), observe))
}

/// What every request has to pass, whatever its route.
async fn enter(mut request: axum::extract::Request, next: Next) -> Response {
    if let Err(refusal) = request_rules::host(request.headers(), request.version()) {
        return refusal.into_response();
    }
    if let Some(uri) = request_rules::without_empty_segments(request.uri()) {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

async fn health(State(app): State<Arc<App>>, _: Whole) -> Response {
    let failure = match timeout(HEALTH_DEADLINE, app.store.barrier()).await {
        Ok(Ok(())) => {
            return json_answer::json(StatusCode::OK, &serde_json::json!({ "status": "ok" }));
        }
        Ok(Err(error)) => json_answer::chain(&error),
        Err(_) => format!("the database took more than {HEALTH_DEADLINE:?}"),
    };
    let error = SimpleError::new("the database does not answer");
    let mut response = json_answer::json(StatusCode::SERVICE_UNAVAILABLE, &error);
    response.extensions_mut().insert(Failure(failure));
    response
}

/// All three reports, once the fault switches let them through.
async fn save(State(app): State<Arc<App>>, Whole(request): Whole) -> Response {
    if let Err(refusal) = request_rules::report(&request) {
        return refusal.into_response();
    }
    let fault = app.config.faults.next();
    let response = match fault.answer {
        Some(answer) => answer.into_response(),
        None => identify(&app, request).await,
    };
    if !fault.delay.is_zero() {
        sleep(fault.delay).await;
    }
    response
}

/// Finds out who sends the report, and whether it was answered before.
async fn identify(app: &App, request: Request<Bytes>) -> Response {
    let token = token_header::token(request.headers(), request.uri());
    let key = key_header::key(request.headers());
    let known_as = key.as_ref().ok().cloned().flatten();
    let Sender { token, first } = match look_up(app, token, known_as).await {
        Ok(sender) => sender,
        Err(error) => return Refusal::from(error).into_response(),
    };
    let (token_id, organisation) = match token {
        TokenState::None => (None, None),
        TokenState::Known { id, organisation } => (Some(id), Some(organisation)),
        TokenState::Unknown => return Refusal::UnknownToken.into_response(),
    };
    let result = match (key, first) {
        (Err(errors), _) => Err(errors.into()),
        (Ok(_), Some(first)) => Ok(first),
        (Ok(key), None) => store(app, request, token_id, key).await,
    };
    let mut response = match result {
        Ok(kind) => json_answer::success(status(kind)),
        Err(refusal) => refusal.into_response(),
    };
    if let Some(organisation) = organisation {
        response.extensions_mut().insert(Organisation(organisation));
    }
    response
}

async fn look_up(
    app: &App,
    token: Option<TokenHash>,
    key: Option<String>,
) -> Result<Sender, StoreError> {
    if token.is_none() && key.is_none() {
        return Ok(Sender { token: TokenState::None, first: None });
    }
    let store = app.store.clone();
    spawn_blocking(move || store.sender(token, key.as_deref()))
        .await
        // It panicked, or the runtime goes down.
        .unwrap_or(Err(StoreError::Closed))
}

/// Checks and stores a report; returns what the first report with its key was.
async fn store(
    app: &App,
    request: Request<Bytes>,
    token_id: Option<i64>,
    idempotency_key: Option<String>,
) -> Result<Kind, Refusal> {
    let (row, place) = to_row(app, request).await?;
    Ok(app.store.save(Report { token_id, idempotency_key, row, place }).await?)
}

/// What the original API answers.
fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Server | Kind::Usage => StatusCode::CREATED,
        Kind::Stats => StatusCode::OK,
    }
}
