//! From a request to its answer.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Request, StatusCode};

use crate::app::App;
use crate::body_bytes::Whole;
use crate::body_to_row::to_row;
use crate::forget::forget;
use crate::named_purpose::NamedPurpose;
use crate::observe::observe;
use crate::on_database::on_database;
use crate::refusal::Refusal;
use crate::store::Saved;
use crate::store::error::StoreError;
use crate::store::kind::Kind;
use crate::store::row::{Purpose, Report};
use crate::store::sender::Sender;
use crate::store::token_hash::TokenHash;
use crate::{
    call, json_answer, key_header, operator_routes, rates, registration, request_rules,
    token_header,
};

/// `OpenAPI` 3.1.
const DESCRIPTION: &str = include_str!("openapi.json");

pub(crate) fn router(app: &Arc<App>) -> Router {
    let routes = Router::new()
        .route("/api/v1/servers", post(save))
        .route("/api/v1/stats/{product}", post(save))
        .route("/api/v1/usage/{product}", post(save))
        .route("/api/v1/forget/{product}", post(forget))
        .route("/healthz", get(operator_routes::health))
        .route("/readyz", get(operator_routes::ready))
        .route("/openapi.json", get(description))
        .route("/start", get(registration::start).post(registration::submit))
        .fallback(async |_: Whole| Refusal::UnknownRoute)
        .method_not_allowed_fallback(async |_: Whole| Refusal::WrongMethod)
        .with_state(app.clone());
    // Around the routes as a whole: which one it is depends on what stands here.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(app.clone(), enter))
        .layer(from_fn_with_state(app.clone(), observe))
}

/// What every request has to pass, whatever its route.
async fn enter(
    State(app): State<Arc<App>>,
    mut request: axum::extract::Request,
    next: Next,
) -> Response {
    if let Err(refusal) = request_rules::host(request.headers(), request.version()) {
        return refusal.into_response();
    }
    if let Some(uri) = request_rules::without_empty_segments(request.uri()) {
        *request.uri_mut() = uri;
    }
    rates::address(&app, request, next).await
}

/// What all of this is, for programs.
async fn description(_: Whole) -> Response {
    json_answer::written(StatusCode::OK, DESCRIPTION)
}

/// All three reports, once the fault switches let them through.
async fn save(State(app): State<Arc<App>>, Whole(request): Whole) -> Response {
    if let Err(refusal) = request_rules::report(&request) {
        return refusal.into_response();
    }
    call::faulty(&app, identify(&app, request)).await
}

/// Finds out who sends the report.
async fn identify(app: &Arc<App>, request: Request<Bytes>) -> Response {
    let sender = match token_header::token(request.headers(), request.uri()) {
        None => None,
        Some(token) => match sender(app, token).await {
            Ok(Sender::Known { token_id, organisation }) => Some((token_id, organisation)),
            Ok(Sender::Unknown) => return Refusal::UnknownToken.into_response(),
            Err(error) => return Refusal::from(error).into_response(),
        },
    };
    let (token_id, organisation) = sender.unzip();
    let stored = store(app, request, token_id).await;
    call::answer(stored.map(|kind| json_answer::success(status(kind))), organisation)
}

/// Whose token it is. The database is asked once in a while.
async fn sender(app: &App, token: TokenHash) -> Result<Sender, StoreError> {
    match app.store.known_sender(token) {
        Some(sender) => Ok(sender),
        None => on_database(app, move |store| store.sender(token)).await,
    }
}

/// Checks and stores a report.
async fn store(
    app: &Arc<App>,
    request: Request<Bytes>,
    token_id: Option<i64>,
) -> Result<Kind, Refusal> {
    if let Some(token_id) = token_id {
        rates::token(app, token_id, request.body().len())?;
    }
    let idempotency_key = key_header::key(request.headers())?;
    let uri = request.uri().clone();
    match to_row(app, request).await {
        Ok((row, place)) => {
            let kind = row.kind();
            let report = Report { token_id, idempotency_key, row, place };
            match app.store.save(report).await? {
                Saved::Once => Ok(kind),
                Saved::KeyTaken => Err(Refusal::key_taken()),
                Saved::TokenEnded => Err(Refusal::UnknownToken),
            }
        }
        // What the key says comes first: with a key that is known, this report is never stored.
        Err(Refusal::Invalid(errors)) => {
            let first = first_with_key(app, token_id, idempotency_key).await?;
            match first.map(|first| (NamedPurpose::of(&uri).is(&first), first.kind)) {
                Some((Some(true), kind)) => Ok(kind),
                Some((Some(false), _)) => Err(Refusal::key_taken()),
                Some((None, _)) | None => Err(Refusal::Invalid(errors)),
            }
        }
        Err(refusal) => Err(refusal),
    }
}

async fn first_with_key(
    app: &App,
    token_id: Option<i64>,
    key: Option<String>,
) -> Result<Option<Purpose>, StoreError> {
    let Some(key) = key else { return Ok(None) };
    on_database(app, move |store| store.first_with_key(token_id, &key)).await
}

/// What the original API answers.
fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Server | Kind::Usage => StatusCode::CREATED,
        Kind::Stats => StatusCode::OK,
    }
}
