//! The head of an answer, line by line.
//!
//! A parser that starts anew with each piece takes time with the square of the pieces. Here each
//! byte is looked at once, and what is wrong is told at the same byte however the bytes are cut.

use std::mem;

use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use httparse::{EMPTY_HEADER, Status};

use crate::head::{MAX_LINES, MAX_SIZE};

/// How long a head may be as it stands. [`MAX_SIZE`] counts what is not optional in it: white space
/// and the reason phrase may take as much again.
const MAX_RAW: usize = 2 * MAX_SIZE;

/// By so many bytes it is known whether something is a status line: `HTTP/1.1 200 `.
const STATUS_LINE: usize = "HTTP/1.1 200 ".len();

/// What has come of one head.
#[derive(Default)]
pub(super) struct HeadParser {
    /// The line that is not complete.
    line: Vec<u8>,
    status: Option<(Version, StatusCode)>,
    headers: HeaderMap,
    /// How many bytes have come.
    size: usize,
}

impl HeadParser {
    /// Takes what is of the head off the front of `input`. Returns the head once it is complete,
    /// and is then ready for the next one.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Result<Option<Parts>, Malformed> {
        while !input.is_empty() {
            let end = input.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
            let (piece, rest) = input.split_at(end.unwrap_or(input.len()));
            *input = rest;
            let fits = piece.len().min(MAX_RAW - self.size);
            self.line.extend_from_slice(&piece[..fits]);
            self.size += fits;
            if self.status.is_none() {
                // What is no HTTP is told before its first line ends, which may be never.
                parse_status(&self.line[..self.line.len().min(STATUS_LINE)])?;
            }
            if fits < piece.len() {
                return Err(Malformed::Endless);
            }
            if end.is_some()
                && let Some(head) = self.end_line()?
            {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    fn end_line(&mut self) -> Result<Option<Parts>, Malformed> {
        let empty = matches!(&*self.line, b"\n" | b"\r\n");
        match self.status {
            // Empty lines in front of a status line are passed over, as in other parsers.
            None if empty => {}
            None => {
                // The parser reads a whole head: an empty line ends it.
                self.line.extend_from_slice(b"\r\n");
                self.status = parse_status(&self.line)?;
            }
            Some((version, status)) if empty => {
                let mut head = Response::new(());
                *head.version_mut() = version;
                *head.status_mut() = status;
                *head.headers_mut() = mem::take(self).headers;
                return Ok(Some(head.into_parts().0));
            }
            Some(_) => {
                self.line.extend_from_slice(b"\r\n");
                let (name, value) = parse_header(&self.line)?;
                if self.headers.len() == MAX_LINES || self.headers.try_append(name, value).is_err()
                {
                    return Err(Malformed::TooManyLines);
                }
            }
        }
        self.line.clear();
        Ok(None)
    }
}

/// Reads the start of a status line, or all of it with an empty line behind it.
fn parse_status(text: &[u8]) -> Result<Option<(Version, StatusCode)>, Malformed> {
    let mut head = httparse::Response::new(&mut []);
    if head.parse(text)?.is_partial() {
        return Ok(None);
    }
    let version = if head.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let status = StatusCode::from_u16(head.code.unwrap_or_default());
    Ok(Some((version, status.map_err(|_| httparse::Error::Status)?)))
}

/// Reads a header line with an empty line behind it.
fn parse_header(text: &[u8]) -> Result<(HeaderName, HeaderValue), Malformed> {
    let mut headers = [EMPTY_HEADER; 1];
    let Status::Complete((_, [header])) = httparse::parse_headers(text, &mut headers)? else {
        return Err(Malformed::Syntax(httparse::Error::HeaderName));
    };
    let name = HeaderName::from_bytes(header.name.as_bytes());
    let value = HeaderValue::from_bytes(header.value);
    Ok((
        name.map_err(|_| httparse::Error::HeaderName)?,
        value.map_err(|_| httparse::Error::HeaderValue)?,
    ))
}

/// What came is not the head of an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error(transparent)]
    Syntax(#[from] httparse::Error),
    #[error("the head of the answer has more than {MAX_LINES} header lines")]
    TooManyLines,
    #[error("the head of the answer has not ended after {MAX_RAW} bytes")]
    Endless,
}
