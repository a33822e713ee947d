//! Where the body of an answer ends (RFC 9112, section 6.3).

use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, HeaderName, StatusCode, Version};

use super::chunked::{Chunked, MalformedChunk};

/// What delimits a body.
#[derive(Debug)]
pub(super) enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    /// The end of the connection.
    Closed,
}

impl Framing {
    /// `to_head` says that the request was a `HEAD`, whose answer has no body.
    pub(super) fn of(head: &Parts, to_head: bool) -> Result<Self, InvalidLength> {
        let without = head.status.is_informational()
            || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if without || to_head {
            return Ok(Self::Length(0));
        }
        // With both headers the coding counts, and the connection is not used again.
        if head.headers.contains_key(TRANSFER_ENCODING) {
            let chunked =
                tokens(&head.headers, &TRANSFER_ENCODING).last() == Some("chunked".into());
            return Ok(if chunked { Self::Chunked(Chunked::new()) } else { Self::Closed });
        }
        match length(&head.headers)? {
            Some(length) => Ok(Self::Length(length)),
            None => Ok(Self::Closed),
        }
    }

    /// Takes the next piece of the body off the front of `input`; `None` if there is none in it.
    pub(super) fn next<'i>(
        &mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<&'i [u8]>, MalformedChunk> {
        let here = match self {
            Self::Chunked(chunked) => return chunked.next(input),
            Self::Closed => input.len(),
            Self::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= here as u64;
                here
            }
        };
        let (piece, rest) = input.split_at(here);
        *input = rest;
        Ok((!piece.is_empty()).then_some(piece))
    }

    /// Whether all of the body has come, as far as its framing tells.
    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunked) => chunked.has_ended(),
            Self::Closed => false,
        }
    }
}

/// Whether the other side lets the connection be used again once its answer has ended.
pub(super) fn keeps_alive(head: &Parts) -> bool {
    head.version == Version::HTTP_11
        && head.status != StatusCode::SWITCHING_PROTOCOLS
        && !closes(&head.headers)
        && !(head.headers.contains_key(TRANSFER_ENCODING)
            && head.headers.contains_key(CONTENT_LENGTH))
}

/// Whether a head asks for the end of the connection.
pub(super) fn closes(headers: &HeaderMap) -> bool {
    tokens(headers, &CONNECTION).any(|token| token == "close")
}

/// The elements of a list in a header that may stand more than once, in lower case.
fn tokens(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(|token| String::from_utf8_lossy(token.trim_ascii()).to_ascii_lowercase())
}

/// One length, however often it is said.
fn length(headers: &HeaderMap) -> Result<Option<u64>, InvalidLength> {
    let mut known = None;
    for text in tokens(headers, &CONTENT_LENGTH) {
        // A number takes a sign in Rust, and none here.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let length = text.parse().ok().filter(|_| digits).ok_or(InvalidLength)?;
        if known.replace(length).is_some_and(|known| known != length) {
            return Err(InvalidLength);
        }
    }
    Ok(known)
}

#[derive(Debug, thiserror::Error)]
#[error("the answer has a `Content-Length` that is no length, or more than one")]
pub(super) struct InvalidLength;
