//! The body of an answer.

use bytes::Bytes;
use bytes::BytesMut;
use http::Response;
use usage_proto::Incomplete;

/// Reads the body, one byte above `limit` at most (rule W38).
///
/// A body that breaks off, by the deadline too, keeps what came and is marked as [`Incomplete`]
/// (rule W46).
pub(crate) async fn collect(mut response: reqwest::Response, limit: usize) -> Response<Bytes> {
    let most = limit.saturating_add(1);
    let mut bytes = BytesMut::new();
    let mut broke_off = false;
    // Reading goes on to the end of a body within the limit: only then is the connection reused.
    while bytes.len() < most {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = most - bytes.len();
                bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            Ok(None) => break,
            Err(_) => {
                broke_off = true;
                break;
            }
        }
    }
    // Without what is left of the body; the connection closes if there is any.
    let (mut parts, _) = Response::<reqwest::Body>::from(response).into_parts();
    if broke_off {
        parts.extensions.insert(Incomplete);
    }
    Response::from_parts(parts, bytes.freeze())
}
