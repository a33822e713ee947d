//! How large the head of an answer may be.

use http::HeaderMap;

use crate::TransportError;

/// The status line and all header lines, in bytes.
const MAX_SIZE: usize = 64 << 10;

/// Header lines.
const MAX_LINES: usize = 100;

/// Checks that the head of an answer is not too large: 64 KiB, and 100 header lines (rule W40).
///
/// For adapters: HTTP libraries draw this line in different places, some of which cannot be moved.
/// The library's own limit should be above it. The size is that of the lines without what is
/// optional in them, such as white space and the reason phrase.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// headers.insert("date", "Wed, 21 Oct 2026 07:28:00 GMT".parse()?);
/// assert!(usage_proto::check_head(&headers).is_ok());
///
/// headers.insert("x-large", "x".repeat(70_000).parse()?);
/// let error = usage_proto::check_head(&headers).unwrap_err();
/// assert_eq!(error.kind(), usage_proto::TransportErrorKind::Protocol);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
///
/// # Errors
///
/// A [`TransportError`] of the kind [`Protocol`](crate::TransportErrorKind::Protocol).
pub fn check_head(headers: &HeaderMap) -> Result<(), TransportError> {
    let lines = headers.len();
    let mut size = STATUS_LINE.len() + LINE_END;
    for (name, value) in headers {
        size += name.as_str().len() + SEPARATOR + value.len() + LINE_END;
    }
    if size > MAX_SIZE || lines > MAX_LINES {
        return Err(TransportError::protocol(HeadTooLarge { size, lines }));
    }
    Ok(())
}

const STATUS_LINE: &str = "HTTP/1.1 200 \r\n";
const SEPARATOR: usize = ": ".len();
const LINE_END: usize = "\r\n".len();

#[derive(Debug, thiserror::Error)]
#[error(
    "the head of the answer has {size} bytes in {lines} header lines: {MAX_SIZE} and {MAX_LINES} \
     are taken"
)]
struct HeadTooLarge {
    size: usize,
    lines: usize,
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::check_head;

    #[test]
    fn w40_the_last_byte_and_the_last_line_are_taken() {
        let value = |length: usize| HeaderValue::try_from("x".repeat(length)).unwrap();
        let frame = "HTTP/1.1 200 \r\na: \r\n\r\n".len();
        for (length, taken) in [((64 << 10) - frame, true), ((64 << 10) - frame + 1, false)] {
            let headers = HeaderMap::from_iter([(HeaderName::from_static("a"), value(length))]);
            assert_eq!(check_head(&headers).is_ok(), taken);
        }
        for (lines, taken) in [(100, true), (101, false)] {
            let mut headers = HeaderMap::new();
            for _ in 0..lines {
                headers.append("a", value(1));
            }
            assert_eq!(check_head(&headers).is_ok(), taken);
        }
    }

    #[test]
    fn the_words_tell_what_was_too_large() {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static("a"),
            HeaderValue::try_from("x".repeat(70_000)).unwrap(),
        )]);
        let error = check_head(&headers).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("70022 bytes in 1 header lines"), "{source}");
    }
}
