//! An answer as plain data, and its form as text: what fuzz targets and their corpora hold.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::api::{Api, TOKEN_HEADER};
use crate::saved::Incomplete;
use crate::token::Token;

/// An answer, and what the client knew when it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// What came of the body.
    pub body: Bytes,
    /// Whether the body broke off.
    pub broke_off: bool,
    /// The response limit.
    pub limit: usize,
    /// The token that the request carried.
    pub token: Option<Token>,
}

impl Answer {
    /// Reads an answer as text: a first line `STATUS [LIMIT] [broken]`, headers, an empty line, and
    /// the body to the end. A header `x-authorization` is the token of the request. Lines that are
    /// no header are passed over.
    #[must_use]
    pub fn from_text(data: &[u8]) -> Option<Self> {
        let (first, mut rest) = line(data);
        let mut words = std::str::from_utf8(first).ok()?.split_ascii_whitespace();
        let mut input = Self {
            status: StatusCode::from_bytes(words.next()?.as_bytes()).ok()?,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            broke_off: false,
            limit: Api::DEFAULT_RESPONSE_LIMIT,
            token: None,
        };
        for word in words {
            match word.parse() {
                Ok(limit) => input.limit = limit,
                Err(_) => input.broke_off = word == "broken",
            }
        }
        while !rest.is_empty() {
            let (text, next) = line(rest);
            rest = next;
            if text.is_empty() {
                break;
            }
            input.add_header(text);
        }
        input.body = Bytes::copy_from_slice(rest);
        Some(input)
    }

    fn add_header(&mut self, text: &[u8]) {
        let Some(colon) = text.iter().position(|&byte| byte == b':') else { return };
        let (name, value) = (&text[..colon], text[colon + 1..].trim_ascii());
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        else {
            return;
        };
        if name == TOKEN_HEADER {
            self.token = value.to_str().ok().and_then(|text| Token::new(text).ok());
        } else {
            self.headers.append(name, value);
        }
    }

    /// The answer as an adapter hands it over.
    #[must_use]
    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        if self.broke_off {
            response.extensions_mut().insert(Incomplete);
        }
        response
    }
}

/// The first line without its end, and what follows it.
fn line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let line = data[..end].strip_suffix(b"\r").unwrap_or(&data[..end]);
    (line, data.get(end + 1..).unwrap_or_default())
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for Answer {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        const NAMES: [&str; 6] =
            ["content-type", "date", "location", "retry-after", "content-length", "server"];
        let status = StatusCode::from_u16(u.int_in_range(100..=999)?).unwrap_or_default();
        let mut headers = HeaderMap::new();
        while !u.is_empty() && u.arbitrary()? {
            let name = HeaderName::from_static(u.choose(&NAMES)?);
            if let Ok(value) = HeaderValue::from_bytes(u.arbitrary()?) {
                headers.append(name, value);
            }
        }
        let token: Option<String> = u.arbitrary()?;
        let limit: Option<u16> = u.arbitrary()?;
        Ok(Self {
            status,
            headers,
            broke_off: u.arbitrary()?,
            limit: limit.map_or(Api::DEFAULT_RESPONSE_LIMIT, usize::from),
            token: token.and_then(|text| Token::new(&text).ok()),
            body: u.arbitrary::<Vec<u8>>()?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn the_text_form_is_read() {
        let text = b"503 100 broken\nRetry-After: 5\r\nnonsense\nX-Authorization: abc\n\nbody\n\n";
        let input = Answer::from_text(text).unwrap();
        assert_eq!(input.status, 503);
        assert_eq!((input.limit, input.broke_off), (100, true));
        assert_eq!(input.headers["retry-after"], "5");
        assert_eq!(input.headers.len(), 1);
        assert_eq!(input.token.unwrap().expose(), "abc");
        assert_eq!(input.body, "body\n\n");
        assert!(Answer::from_text(b"20").is_none());
    }
}
