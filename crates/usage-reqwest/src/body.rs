//! The body of an answer.

use bytes::Bytes;
use http::Response;
use usage_proto::{Collector, TransportError};

/// Reads the body up to `limit` (rule W38). A body that breaks off, by the deadline too, keeps what
/// came (rule W46).
pub(crate) async fn collect(
    response: reqwest::Response,
    limit: usize,
) -> Result<Response<Bytes>, TransportError> {
    let response = Response::<reqwest::Body>::from(response);
    let (parts, body) = response.into_parts();
    let mut answer = Collector::new(parts, limit)?;
    let mut body = reqwest::Response::from(Response::new(body));
    // Reading goes on to the end of a body within the limit: only then is the connection reused.
    while answer.wants_more() {
        match body.chunk().await {
            Ok(Some(chunk)) => answer.push(chunk),
            Ok(None) => break,
            Err(_) => return Ok(answer.break_off()),
        }
    }
    Ok(answer.finish())
}
