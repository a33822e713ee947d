//! Reading a body within limits.

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::Config;
use crate::answer::Refusal;

/// Memory that a client gets for its word alone, before a byte of the body came.
const TRUSTED: usize = 64 * 1024;

/// Reads a whole body, and counts in `received` what came of it even if it is refused.
///
/// A `Content-Length` above the limit is refused before a byte is read, and so before hyper would
/// invite the body with `100 Continue`.
pub(crate) async fn receive(
    body: Body,
    config: &Config,
    received: &mut u64,
) -> Result<Bytes, Refusal> {
    let (limit, deadline) = (config.body_limit, config.body_deadline);
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::TooLarge { limit });
    }
    match timeout(deadline, collect(body, limit, received)).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::Late { deadline }),
    }
}

async fn collect(mut body: Body, limit: usize, received: &mut u64) -> Result<Bytes, Refusal> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = Vec::with_capacity(announced.min(TRUSTED));
    while let Some(frame) = body.frame().await {
        // Trailers mean nothing here.
        let Ok(data) = frame.map_err(|_| Refusal::Broken)?.into_data() else { continue };
        *received += data.len() as u64;
        if data.len() > limit - whole.len() {
            return Err(Refusal::TooLarge { limit });
        }
        let length = whole.len() + data.len();
        if length > whole.capacity() {
            // It doubles, but not above the limit.
            whole.reserve_exact(length.max(limit.min(2 * whole.capacity())) - whole.len());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.into())
}
