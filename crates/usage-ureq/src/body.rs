//! The body of an answer.

use std::io::{self, Read};

use bytes::Bytes;
use http::Response;
use ureq::Body;
use usage_proto::{Collector, TransportError};

/// Reads the body, one byte above `limit` at most (rule W38).
///
/// A body that breaks off, by the deadline too, keeps what came and is marked as [`Incomplete`]
/// (rule W46). ureq's own limit is not used: it would turn the answer into an error.
pub(crate) fn collect(
    response: Response<Body>,
    limit: usize,
) -> Result<Response<Bytes>, TransportError> {
    let (parts, mut body) = response.into_parts();
    let mut answer = Collector::new(parts, limit)?;
    let mut reader = body.as_reader();
    // Within the limit it reads to the end: only then is the connection used again.
    while answer.wants_more() {
        let mut piece = [0; 4 << 10];
        let room = piece.len().min(answer.wanted());
        match reader.read(&mut piece[..room]) {
            Ok(0) => break,
            Ok(length) => answer.push_slice(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => {
                // ureq has put the good chunks in front of a bad one into the buffer, and does not
                // say how much. JSON has no zero bytes.
                let length = piece.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
                answer.push_slice(&piece[..length]);
                return Ok(answer.break_off());
            }
        }
    }
    Ok(answer.finish())
}
