//! What the head of an answer may be.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Version};

/// The status line and all header lines, in bytes.
pub(crate) const MAX_SIZE: usize = 64 << 10;

/// Header lines.
pub(crate) const MAX_LINES: usize = 100;

/// The longest body that is one: what is above cannot be counted by every library.
const MAX_LENGTH: u64 = i64::MAX as u64;

/// Checks what HTTP libraries take differently in the head of an answer (rule W40).
///
/// The libraries draw these lines in different places, some of which cannot be moved.
pub(crate) fn check(version: Version, headers: &HeaderMap) -> Result<(), InvalidHead> {
    let lines = headers.len();
    let mut size = STATUS_LINE.len() + LINE_END;
    for (name, value) in headers {
        size += name.as_str().len() + SEPARATOR + value.len() + LINE_END;
    }
    if size > MAX_SIZE || lines > MAX_LINES {
        return Err(InvalidHead::TooLarge { size, lines });
    }
    if headers.get_all(CONTENT_LENGTH).iter().any(is_too_long) {
        return Err(InvalidHead::Length);
    }
    if version == Version::HTTP_10 && headers.contains_key(TRANSFER_ENCODING) {
        return Err(InvalidHead::Coding);
    }
    Ok(())
}

/// What is not a number at all is for the library to refuse. One length may be said more than once in
/// a value (RFC 9110, section 8.6).
fn is_too_long(lengths: &HeaderValue) -> bool {
    let number = |text: &[u8]| str::from_utf8(text.trim_ascii()).ok()?.parse::<u64>().ok();
    let mut numbers = lengths.as_bytes().split(|&byte| byte == b',').filter_map(number);
    numbers.any(|number| number > MAX_LENGTH)
}

const STATUS_LINE: &str = "HTTP/1.1 200 \r\n";
const SEPARATOR: usize = ": ".len();
const LINE_END: usize = "\r\n".len();

#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidHead {
    #[error(
        "the head of the answer has {size} bytes in {lines} header lines: {MAX_SIZE} and \
         {MAX_LINES} are taken"
    )]
    TooLarge { size: usize, lines: usize },
    #[error("the answer has a `Content-Length` that no body has")]
    Length,
    #[error("the answer is HTTP/1.0 and has a `Transfer-Encoding`, which that does not know")]
    Coding,
}
