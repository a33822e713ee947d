//! The body of an answer.

use std::pin::pin;

use bytes::{Buf, Bytes};
use http::Response;
use http_body::Body;
use http_body_util::BodyExt;
use usage_proto::{Collector, TransportError};

use crate::deadline::Deadline;

/// Reads the body frame by frame, up to `limit` (rule W38). A body that breaks off, by the deadline
/// too, keeps what came (rule W46).
pub(crate) async fn collect<B: Body>(
    response: Response<B>,
    limit: usize,
    deadline: &mut Deadline,
) -> Result<Response<Bytes>, TransportError> {
    let (parts, body) = response.into_parts();
    let mut answer = Collector::new(parts, limit)?;
    let read = deadline.limit(read(body, &mut answer)).await;
    Ok(if matches!(read, Some(Ok(()))) { answer.finish() } else { answer.break_off() })
}

async fn read<B: Body>(body: B, answer: &mut Collector) -> Result<(), B::Error> {
    let mut body = pin!(body);
    // Reading goes on to the end of a body within the limit: only then is the connection reused.
    while answer.wants_more()
        && let Some(frame) = body.frame().await
    {
        // What is no data is trailers.
        if let Ok(mut data) = frame?.into_data() {
            let wanted = data.remaining().min(answer.wanted());
            answer.push(data.copy_to_bytes(wanted));
        }
    }
    Ok(())
}
