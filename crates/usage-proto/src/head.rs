//! What the head of an answer may be.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Version};

use crate::TransportError;

/// The status line and all header lines, in bytes.
const MAX_SIZE: usize = 64 << 10;

/// Header lines.
const MAX_LINES: usize = 100;

/// The longest body that is one: what is above cannot be counted by every library.
const MAX_LENGTH: u64 = i64::MAX as u64;

/// Checks what HTTP libraries take differently in the head of an answer (rule W40).
///
/// - It has 64 KiB and 100 header lines at most. The size is that of the lines without what is
///   optional in them, such as white space and the reason phrase.
/// - `Content-Length` is 2⁶³ − 1 at most.
/// - An answer in HTTP/1.0 has no `Transfer-Encoding` (RFC 9112, section 6.1).
///
/// For adapters: the libraries draw these lines in different places, some of which cannot be moved.
/// The library's own limits should be above them.
///
/// ```
/// use http::Version;
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("date", "Wed, 21 Oct 2026 07:28:00 GMT".parse()?);
/// assert!(usage_proto::check_head(Version::HTTP_11, &headers).is_ok());
///
/// headers.insert("x-large", "x".repeat(70_000).parse()?);
/// let error = usage_proto::check_head(Version::HTTP_11, &headers).unwrap_err();
/// assert_eq!(error.kind(), usage_proto::TransportErrorKind::Protocol);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
///
/// # Errors
///
/// A [`TransportError`] of the kind [`Protocol`](crate::TransportErrorKind::Protocol).
pub fn check_head(version: Version, headers: &HeaderMap) -> Result<(), TransportError> {
    let lines = headers.len();
    let mut size = STATUS_LINE.len() + LINE_END;
    for (name, value) in headers {
        size += name.as_str().len() + SEPARATOR + value.len() + LINE_END;
    }
    if size > MAX_SIZE || lines > MAX_LINES {
        return Err(TransportError::protocol(InvalidHead::TooLarge { size, lines }));
    }
    if headers.get_all(CONTENT_LENGTH).iter().any(is_too_long) {
        return Err(TransportError::protocol(InvalidHead::Length));
    }
    if version == Version::HTTP_10 && headers.contains_key(TRANSFER_ENCODING) {
        return Err(TransportError::protocol(InvalidHead::Coding));
    }
    Ok(())
}

/// What is no number at all is for the library to refuse.
fn is_too_long(length: &HeaderValue) -> bool {
    length.to_str().ok().and_then(|text| text.parse::<u64>().ok()).is_some_and(|n| n > MAX_LENGTH)
}

const STATUS_LINE: &str = "HTTP/1.1 200 \r\n";
const SEPARATOR: usize = ": ".len();
const LINE_END: usize = "\r\n".len();

#[derive(Debug, thiserror::Error)]
enum InvalidHead {
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

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Version};

    use super::check_head;

    #[test]
    fn w40_the_last_byte_and_the_last_line_are_taken() {
        let value = |length: usize| HeaderValue::try_from("x".repeat(length)).unwrap();
        let frame = "HTTP/1.1 200 \r\na: \r\n\r\n".len();
        for (length, taken) in [((64 << 10) - frame, true), ((64 << 10) - frame + 1, false)] {
            let headers = HeaderMap::from_iter([(HeaderName::from_static("a"), value(length))]);
            assert_eq!(check_head(Version::HTTP_11, &headers).is_ok(), taken);
        }
        for (lines, taken) in [(100, true), (101, false)] {
            let mut headers = HeaderMap::new();
            for _ in 0..lines {
                headers.append("a", value(1));
            }
            assert_eq!(check_head(Version::HTTP_11, &headers).is_ok(), taken);
        }
    }

    #[test]
    fn the_words_tell_what_was_too_large() {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static("a"),
            HeaderValue::try_from("x".repeat(70_000)).unwrap(),
        )]);
        let error = check_head(Version::HTTP_11, &headers).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("70022 bytes in 1 header lines"), "{source}");
    }
}
