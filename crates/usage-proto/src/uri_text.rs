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

/// A URL, or what was meant as one, as an error message may show it: on one line, clipped, without
/// query and fragment, and with nothing in front of its last `@`. Readers disagree on where user
/// information ends, and people leave `/` and `?` in a password as they are.
pub(crate) fn displayable(text: &str) -> String {
    let (mark, rest) = text.rsplit_once('@').map_or(("", text), |(_, rest)| ("…@", rest));
    let (shown, cut) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    crate::excerpt::line(&format!("{mark}{shown}{}", if cut.is_empty() { "" } else { "…" }))
}
