//! The shape of all answers, and what they tell the log beside it.

use std::error::Error;
use std::iter::successors;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use usage_proto::SimpleError;

/// Whose token came with the request, told to the log.
#[derive(Debug, Clone)]
pub(crate) struct Organisation(pub(crate) String);

/// What went wrong inside, told to the log and not to the client.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) String);

/// A success: the protocol knows no other body than this.
pub(crate) fn success(status: StatusCode) -> Response {
    bytes(status, "{}")
}

/// What is JSON already.
pub(crate) fn written(status: StatusCode, text: &'static str) -> Response {
    bytes(status, text)
}

pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => bytes(status, body),
        Err(error) => {
            let mut response = bytes(StatusCode::INTERNAL_SERVER_ERROR, "{}");
            response.extensions_mut().insert(Failure(error.to_string()));
            response
        }
    }
}

pub(crate) fn error(status: StatusCode, message: impl Into<String>) -> Response {
    json(status, &SimpleError::new(message))
}

fn bytes(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The connection can not go on: bytes of this request are still to come.
pub(crate) fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An error and its sources on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let parts: Vec<_> =
        successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    parts.join(": ")
}
