//! What the calls of the API have in common around their work.

use axum::response::{IntoResponse, Response};
use tokio::time::sleep;

use crate::app::App;
use crate::json_answer::Organisation;
use crate::refusal::Refusal;

/// Answers a call, once the fault switches let it through.
pub(crate) async fn faulty(app: &App, answer: impl Future<Output = Response>) -> Response {
    let fault = app.config.faults.next();
    let response = match fault.answer {
        Some(answer) => answer.into_response(),
        None => answer.await,
    };
    if !fault.delay.is_zero() {
        sleep(fault.delay).await;
    }
    response
}

/// What was done or refused as an answer; the log is told whose token came with the request.
pub(crate) fn answer(done: Result<Response, Refusal>, organisation: Option<String>) -> Response {
    let mut response = done.unwrap_or_else(IntoResponse::into_response);
    if let Some(organisation) = organisation {
        response.extensions_mut().insert(Organisation(organisation));
    }
    response
}
