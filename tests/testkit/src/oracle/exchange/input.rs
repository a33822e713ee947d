//! The other side of an exchange as plain data, and its form as text: what fuzz targets and their
//! corpora hold.

use bytes::Bytes;
use usage_proto::Api;

/// What the other side does, and how its bytes are cut on the way.
#[derive(Debug, Clone)]
pub struct Input {
    /// The response limit.
    pub limit: usize,
    /// How many bytes of the request have left when the answer comes.
    pub written: usize,
    /// How it ends.
    pub end: End,
    /// How long the pieces are in which the answer comes, again and again; in one piece if there is
    /// none.
    pub pieces: Vec<usize>,
    /// What the other side sends.
    pub answer: Bytes,
}

/// What comes behind the last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The end of the stream.
    Closed,
    /// An error.
    Reset,
    /// Nothing, until the deadline.
    Held,
}

impl Input {
    /// Reads an input as text: a first line of words, and the answer to the end. The words are
    /// `closed`, `reset` or `held`, `limit=N`, `written=N`, and numbers, which are the lengths of
    /// the pieces. Other words are passed over.
    #[must_use]
    pub fn from_text(data: &[u8]) -> Option<Self> {
        let at = data.iter().position(|&byte| byte == b'\n')?;
        let mut input = Self {
            limit: Api::DEFAULT_RESPONSE_LIMIT,
            written: usize::MAX,
            end: End::Closed,
            pieces: Vec::new(),
            answer: Bytes::copy_from_slice(&data[at + 1..]),
        };
        for word in std::str::from_utf8(&data[..at]).ok()?.split_ascii_whitespace() {
            let number = |name| word.strip_prefix(name)?.parse().ok();
            match word {
                "closed" => input.end = End::Closed,
                "reset" => input.end = End::Reset,
                "held" => input.end = End::Held,
                _ => {}
            }
            input.limit = number("limit=").unwrap_or(input.limit);
            input.written = number("written=").unwrap_or(input.written);
            input.pieces.extend(number("").filter(|length| *length > 0));
        }
        Some(input)
    }

    /// The answer in its pieces, none of which is empty.
    pub(super) fn cut(&self) -> impl Iterator<Item = &[u8]> {
        let mut lengths = self.pieces.iter().cycle();
        let mut rest = &*self.answer;
        std::iter::from_fn(move || {
            let length = lengths.next().copied().unwrap_or(usize::MAX).min(rest.len());
            let (piece, left) = rest.split_at(length);
            rest = left;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Input};

    #[test]
    fn the_text_form_is_read() {
        let text = b"held limit=10 3 x 0 2 written=5\r\nHTTP/1.1\r\n\r\n";
        let input = Input::from_text(text).unwrap();
        assert_eq!((input.limit, input.written, input.end), (10, 5, End::Held));
        assert_eq!(input.answer, "HTTP/1.1\r\n\r\n");
        let pieces: Vec<_> = input.cut().collect();
        assert_eq!(pieces, [&b"HTT"[..], b"P/", b"1.1", b"\r\n", b"\r\n"]);
        assert!(Input::from_text(b"no line").is_none());
    }
}
