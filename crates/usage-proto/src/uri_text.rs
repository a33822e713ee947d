//! The characters of RFC 3986, and the one set for percent-encoding (rule W1).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest URI that `http::Uri` can hold, in bytes.
pub(crate) const MAX_URI: usize = 65_534;

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `text` with only unreserved characters left bare, piece by piece.
pub(crate) fn escaped(text: &str) -> impl Iterator<Item = &str> + Clone {
    utf8_percent_encode(text, RESERVED)
}

/// Appends `text` as a value of `application/x-www-form-urlencoded`: a space is `+` (rule W20).
pub(crate) fn push_form(text: &str, out: &mut String) {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push('+');
        }
        out.extend(escaped(word));
    }
}

/// What is wrong with a part of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Character(char),
    Percent,
}

/// Checks that `text` has only characters that `allowed` knows, and well-formed percent-encoding.
pub(crate) fn check_chars(text: &str, allowed: fn(u8) -> bool) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        if c == '%' {
            let digits = bytes.get(at + 1..at + 3);
            if !digits.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)) {
                return Err(Fault::Percent);
            }
        } else if !u8::try_from(c).is_ok_and(allowed) {
            return Err(Fault::Character(c));
        }
    }
    Ok(())
}

/// `unreserved / sub-delims` (RFC 3986, section 3.2.2).
pub(crate) fn is_reg_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

/// `pchar / "/"` (RFC 3986, section 3.3).
pub(crate) fn is_path(byte: u8) -> bool {
    is_reg_name(byte) || b":@/".contains(&byte)
}

/// `text` as an error message may show it: no user information, no query, no control characters,
/// clipped.
pub(crate) fn displayable(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let (text, cut) = text.split_at(end);
    let mut shown = crate::excerpt::line(&without_userinfo(text));
    if !cut.is_empty() {
        shown.push('…');
    }
    shown
}

/// Removes what stands before an `@` in the authority, however the slashes before it are written:
/// readers disagree on `http:user@host`, `http:/user@host` and `http:\\user@host`, and people type
/// `user:secret@host` where a URL is wanted.
pub(crate) fn without_userinfo(text: &str) -> String {
    let scheme_ends = match text.find(':') {
        Some(at)
            if text[..at].bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) =>
        {
            at + 1
        }
        _ => 0,
    };
    let (scheme, rest) = text.split_at(scheme_ends);
    let authority_at = rest.len() - rest.trim_start_matches(['/', '\\']).len();
    let (slashes, rest) = rest.split_at(authority_at);
    if scheme.is_empty() && slashes.len() == 1 {
        // A path: an `@` in it is a character like any other.
        return text.to_owned();
    }
    let authority_ends = rest.find(['/', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_ends);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.is_empty() && !authority.is_empty() {
        // The slashes around what is gone would meet, and make an authority of the path.
        return format!("{scheme}{slashes}");
    }
    format!("{scheme}{slashes}{host}{path}")
}
