//! A second reading of an answer: all of it at once, by the plain form of RFC 9112 alone. What is
//! odd it has no opinion on.

use super::input::{End, Input};

/// What has to come of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Answer { status: u16, lines: usize, body: Vec<u8>, complete: bool },
    Interrupted,
    Timeout,
}

/// Longer heads, and more of them, are for other tests.
const PLAIN_HEAD: usize = 4096;
const PLAIN_LINES: usize = 50;
const PLAIN_INTERIM: usize = 50;

impl Expected {
    /// `None` if the answer is odd.
    pub(super) fn of(input: &Input) -> Option<Self> {
        let mut rest = &*input.answer;
        for _ in 0..PLAIN_INTERIM {
            if rest.is_empty() {
                return Some(match input.end {
                    End::Closed | End::Reset => Self::Interrupted,
                    End::Held => Self::Timeout,
                });
            }
            let end = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
            let head = Head::parse(rest.get(..end)?)?;
            rest = &rest[end + 4..];
            if !(100..200).contains(&head.status) || head.status == 101 {
                return head.with_body(rest, input);
            }
        }
        None
    }
}

struct Head<'t> {
    status: u16,
    old: bool,
    headers: Vec<(String, &'t str)>,
}

impl<'t> Head<'t> {
    fn parse(bytes: &'t [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.len() < PLAIN_HEAD)?;
        let mut lines = text.split("\r\n");
        let (version, rest) = lines.next()?.split_once(' ')?;
        let old = match version {
            "HTTP/1.0" => true,
            "HTTP/1.1" => false,
            _ => return None,
        };
        let (status, reason) = rest.split_once(' ')?;
        let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
        let status = status.parse().ok().filter(|status| digits && *status >= 100)?;
        is_plain(reason).then_some(())?;
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ")?;
            let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let plain = named && !name.is_empty() && is_plain(value) && value.trim() == value;
            plain.then(|| (name.to_ascii_lowercase(), value))
        });
        let headers: Vec<_> = headers.collect::<Option<_>>()?;
        (headers.len() < PLAIN_LINES).then_some(Self { status, old, headers })
    }

    fn with_body(&self, rest: &[u8], input: &Input) -> Option<Expected> {
        let all = |name| self.headers.iter().filter(move |(other, _)| other == name);
        if self.old && all("transfer-encoding").count() > 0 {
            return None;
        }
        let without = matches!(self.status, 101 | 204 | 304);
        let (body, whole) = match (all("content-length").count(), all("transfer-encoding").count())
        {
            _ if without => (Vec::new(), true),
            (1, 0) => {
                let (_, value) = all("content-length").next()?;
                let digits = value.len() < 10 && value.bytes().all(|byte| byte.is_ascii_digit());
                let length = value.parse().ok().filter(|_| digits)?;
                (rest[..rest.len().min(length)].to_vec(), rest.len() >= length)
            }
            (0, 1) => {
                let (_, value) = all("transfer-encoding").next()?;
                (*value == "chunked").then_some(())?;
                unchunked(rest)?
            }
            (0, 0) => (rest.to_vec(), input.end == End::Closed),
            _ => return None,
        };
        let kept = body.len().min(input.limit.saturating_add(1));
        Some(Expected::Answer {
            status: self.status,
            lines: self.headers.len(),
            body: body[..kept].to_vec(),
            // What is above the limit is not waited for.
            complete: whole || body.len() > input.limit,
        })
    }
}

/// The body without its coding, and whether it has come to its end.
fn unchunked(mut rest: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
            // What is behind the last complete line: nothing, or it is odd.
            return rest.is_empty().then_some((body, false));
        };
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let (digits, extension) = line.split_once(';').unwrap_or((line, ""));
        let plain = (1..8).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            && is_plain(extension);
        let size = usize::from_str_radix(digits, 16).ok().filter(|_| plain)?;
        rest = &rest[end + 2..];
        if size == 0 {
            // No trailers, or it is odd.
            return match rest {
                [] | b"\r" => Some((body, false)),
                [b'\r', b'\n', ..] => Some((body, true)),
                _ => None,
            };
        }
        body.extend_from_slice(&rest[..rest.len().min(size)]);
        rest = match rest.get(size..) {
            None | Some([] | b"\r") => return Some((body, false)),
            Some([b'\r', b'\n', rest @ ..]) => rest,
            Some(_) => return None,
        };
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::{Expected, Input};

    #[test]
    fn plain_answers_are_read_and_odd_ones_are_not() {
        let of = |text: &str| Expected::of(&Input::from_text(text.as_bytes()).unwrap());
        let answer = |body: &str, complete| {
            let (status, lines, body) = (200, 1, body.as_bytes().to_vec());
            Some(Expected::Answer { status, lines, body, complete })
        };
        let length = "\nHTTP/1.1 100 X\r\n\r\nHTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(of(&format!("{length}{{}}")), answer("{}", true));
        assert_eq!(of(&format!("{length}{{")), answer("{", false));
        assert_eq!(of(&format!("limit=0{length}{{")), answer("{", true));
        let chunked = "\nHTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\n{}\r\n";
        assert_eq!(of(&format!("{chunked}0\r\n\r\n")), answer("{}", true));
        assert_eq!(of(&format!("{chunked}0\r\n\r")), answer("{}", false));
        assert_eq!(of(&format!("{chunked}0\r\nX: x\r\n\r\n")), None);
        assert_eq!(of("closed\nHTTP/1.1 200 X\r\nA: b\r\n\r\n{}"), answer("{}", true));
        assert_eq!(of("reset\nHTTP/1.1 200 X\r\nA: b\r\n\r\n{}"), answer("{}", false));
        assert_eq!(of("held\n"), Some(Expected::Timeout));
        assert_eq!(of("closed\nHTTP/1.1 103 X\r\n\r\n"), Some(Expected::Interrupted));
        assert_eq!(of("\nHTTP/1.1 200 X\nA: b\n\n"), None);
    }
}
