//! What the operator asks: is it alive, is it ready, what has it done.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::prometheus_text;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use usage_proto::SimpleError;

use crate::app::App;
use crate::body_bytes::Whole;
use crate::json_answer::{self, Failure};
use crate::refusal::Refusal;

/// How long the database may take to show that it is there.
const READY_DEADLINE: Duration = Duration::from_secs(5);

/// What is on the listener for metrics.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/readyz", get(ready))
        .fallback(async |_: Whole| {
            json_answer::error(StatusCode::NOT_FOUND, "here are GET /metrics and GET /readyz alone")
        })
        .method_not_allowed_fallback(async |_: Whole| Refusal::WrongMethod)
        .with_state(app.clone())
}

/// `GET /healthz`: the threads are there. It does not ask the database: whoever starts a server again
/// that is not alive would start all of them again, and again, while their database is away.
pub(crate) async fn health(State(app): State<Arc<App>>, _: Whole) -> Response {
    if app.store.is_open() {
        return fine();
    }
    json_answer::error(
        StatusCode::SERVICE_UNAVAILABLE,
        "a thread of the server has ended, and no report is stored any more: start it again",
    )
}

/// `GET /readyz`: the database takes writes, and the server is to have more requests.
pub(crate) async fn ready(State(app): State<Arc<App>>, _: Whole) -> Response {
    if app.is_stopping() {
        return json_answer::error(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping");
    }
    judge(&app).await.err().unwrap_or_else(fine)
}

fn fine() -> Response {
    json_answer::json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
}

async fn judge(app: &App) -> Result<(), Response> {
    let failure = match timeout(READY_DEADLINE, app.store.barrier()).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => json_answer::chain(&error),
        Err(_) => format!("the database took more than {READY_DEADLINE:?}"),
    };
    let error = SimpleError::new("the database does not answer");
    let mut response = json_answer::json(StatusCode::SERVICE_UNAVAILABLE, &error);
    response.extensions_mut().insert(Failure(failure));
    Err(response)
}

async fn metrics(State(app): State<Arc<App>>, _: Whole) -> Response {
    // The text grows with what is counted.
    match spawn_blocking(move || app.meters.text()).await {
        Ok(Ok(text)) => ([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response(),
        // Text is written to memory: the first happens in no case, the other when all of it stops.
        Ok(Err(_)) | Err(_) => json_answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics could not be collected: ask again",
        ),
    }
}
