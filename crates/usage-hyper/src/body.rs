//! The body of an answer.

use std::pin::pin;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::Response;
use http_body::Body;
use http_body_util::BodyExt;
use usage_proto::Incomplete;

use crate::deadline::Deadline;

/// Reads the body frame by frame, and keeps one byte above `limit` at most (rule W38).
///
/// A body that breaks off, by the deadline too, keeps what came and is marked as [`Incomplete`]
/// (rule W46).
pub(crate) async fn collect<B: Body>(
    response: Response<B>,
    limit: usize,
    deadline: &mut Deadline,
) -> Response<Bytes> {
    let (mut parts, body) = response.into_parts();
    let mut bytes = BytesMut::new();
    let read = deadline.limit(read(body, &mut bytes, limit.saturating_add(1))).await;
    if !matches!(read, Some(Ok(()))) {
        parts.extensions.insert(Incomplete);
    }
    Response::from_parts(parts, bytes.freeze())
}

async fn read<B: Body>(body: B, bytes: &mut BytesMut, most: usize) -> Result<(), B::Error> {
    let mut body = pin!(body);
    // Reading goes on to the end of a body within the limit: only then is the connection reused.
    while bytes.len() < most
        && let Some(frame) = body.frame().await
    {
        // What is no data is trailers.
        if let Ok(data) = frame?.into_data() {
            bytes.put(data.take(most - bytes.len()));
        }
    }
    Ok(())
}
