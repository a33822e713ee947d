//! The bodies: the report on its way out, and what comes back.

use std::io::{self, Read};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use ureq::Body;
use usage_proto::{Api, TransportError};

/// How much of a report ureq gets at once; it looks at the deadline in between.
const PIECE: usize = 16 << 10;

/// The body of a request, as ureq reads it.
pub(crate) struct Report<'b> {
    pub(crate) rest: &'b [u8],
    /// Whether ureq has asked for it. Before, there was no connection, or the head was not written.
    pub(crate) asked_for: bool,
}

impl Read for Report<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.asked_for = true;
        let room = buffer.len().min(PIECE);
        self.rest.read(&mut buffer[..room])
    }
}

/// Reads an answer. What came of a body that breaks off, by the deadline too, is kept (rule W46).
pub(crate) fn read(from: Response<Body>, api: &Api) -> Result<Response<Bytes>, TransportError> {
    let (parts, mut body) = from.into_parts();
    let coding = parts.headers.get(header::TRANSFER_ENCODING);
    // Not `Body::content_length`, which has none for a body of length 0.
    let says_its_end = parts.headers.contains_key(header::CONTENT_LENGTH)
        || coding.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
        || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || parts.status.is_informational();
    let mut answer = api.receive(parts)?;
    let mut came = Vec::new();
    // Within the limit it reads to the end: only then is the connection used again.
    let end = body.as_reader().take(answer.wanted() as u64).read_to_end(&mut came);
    answer.push(came.into());
    // Where the end of the body is that of the connection, ureq does not tell it from a reset.
    let is_whole = end.is_ok() && (says_its_end || !answer.wants_more());
    Ok(if is_whole { answer.finish() } else { answer.break_off() })
}
