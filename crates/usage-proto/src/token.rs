//! The secret that ties a report to an organisation.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use http::HeaderValue;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;

use crate::redact;

/// A customer's token, sent as `X-Authorization: <token>` with no scheme in front.
///
/// It is checked once and kept as a header value marked sensitive. `Debug` does not show it, and
/// there is no `Display`: who needs the text asks for it by name, with [`Token::expose`].
///
/// ```
/// use usage_proto::Token;
///
/// let token = Token::new("token-goes-here\n")?; // as read from a file
/// assert_eq!(token.expose(), "token-goes-here");
/// assert_eq!(format!("{token:?}"), "Token(redacted)");
/// # Ok::<(), usage_proto::InvalidToken>(())
/// ```
#[derive(Clone)]
pub struct Token {
    /// Visible ASCII and inner spaces; marked sensitive.
    header: HeaderValue,
}

impl Token {
    /// Checks a token. White space around it is dropped, so that the text of a file will do.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] if nothing is left, or if there is a character in it that is neither
    /// visible ASCII nor a space.
    pub fn new(text: &str) -> Result<Self, InvalidToken> {
        let token = text.trim();
        if token.is_empty() {
            return Err(InvalidToken::Empty);
        }
        let visible = |c: char| c.is_ascii_graphic() || c == ' ';
        if let Some(position) = token.chars().position(|c| !visible(c)) {
            return Err(InvalidToken::Character { position: position + 1 });
        }
        let mut header =
            HeaderValue::from_str(token).map_err(|_| InvalidToken::Character { position: 1 })?;
        header.set_sensitive(true);
        Ok(Self { header })
    }

    /// The secret itself, to store it where only its owner can read it.
    #[must_use]
    pub fn expose(&self) -> &str {
        // Every character was checked to be ASCII, so this is never the empty text.
        self.header.to_str().unwrap_or_default()
    }

    /// `text` with `[redacted]` wherever the token stands in it: as it is, with the escapes of a
    /// JSON string, or percent-encoded. Some APIs repeat a token when they refuse it, and what they
    /// say goes to logs.
    ///
    /// The start of the token at the very end of the text is taken too, since a text that broke
    /// off may end within it. A token of fewer than eight characters is left where it is: it may
    /// be part of any word.
    ///
    /// ```
    /// use usage_proto::Token;
    ///
    /// let token = Token::new("tok/en-goes+here")?;
    /// assert_eq!(token.redacted(r#"no such token: "tok\/en-goes+here""#), r#"no such token: "[redacted]""#);
    /// assert_eq!(token.redacted("/x?t=tok%2Fen-goes%2Bhere"), "/x?t=[redacted]");
    /// # Ok::<(), usage_proto::InvalidToken>(())
    /// ```
    #[must_use]
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        redact::redacted(text, self.expose())
    }

    /// Whether the token may stand in a text that is read from `bytes`.
    pub(crate) fn may_stand_in(&self, bytes: &[u8]) -> bool {
        redact::may_stand_in(bytes, self.header.as_bytes())
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        self.header.clone()
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// From a text, as in a configuration file. Nothing is repeated of what is not a token: not the text,
/// and not a number or another value in its place.
///
/// There is no `Serialize`: who stores a token asks for it by name.
impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A format that is told to expect a text would name the number that it has found.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(TokenVisitor)
        } else {
            deserializer.deserialize_str(TokenVisitor)
        }
    }
}

struct TokenVisitor;

impl TokenVisitor {
    fn not_text<E: de::Error, T>(&self, found: &'static str) -> Result<T, E> {
        Err(E::invalid_type(Unexpected::Other(found), self))
    }
}

impl Visitor<'_> for TokenVisitor {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a token")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Token, E> {
        Token::new(text).map_err(E::custom)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Token, E> {
        self.not_text("`true` or `false`")
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Token, E> {
        self.not_text("a number")
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Token, E> {
        self.not_text("a number")
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Token, E> {
        self.not_text("a number")
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Token, E> {
        self.not_text("a number")
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Token, E> {
        self.not_text("a number")
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<Token, E> {
        self.not_text("bytes")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Compares in a time that depends on the lengths alone.
impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.header.as_bytes().ct_eq(other.header.as_bytes()).into()
    }
}

impl Eq for Token {}

/// A text that is not a token. The text itself is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// Nothing but white space.
    #[error("the token is empty: set the one that registration returned, or none at all")]
    Empty,
    /// A control character, a line break in the middle, or a character that is not ASCII.
    #[error(
        "the token has a character at position {position} that is not printable ASCII: \
         copy it again, whole and alone"
    )]
    #[non_exhaustive]
    Character {
        /// Which character of the trimmed text, counted from 1.
        position: usize,
    },
}
