//! A second reading of what the core writes into URLs, written out by hand so that the two share
//! no code.

/// Whether a byte is unreserved in RFC 3986.
#[must_use]
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// `text` as one path segment: every byte but the unreserved ones is escaped (W1).
#[must_use]
pub fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if is_unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        })
        .collect()
}

/// `text` as a value of a query: like a segment, but a space is `+` (W20).
#[must_use]
pub fn escape_form(text: &str) -> String {
    escape(text).replace("%20", "+")
}

/// Undoes percent-encoding; `None` if an escape is cut short or the outcome is no UTF-8.
#[must_use]
pub fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The pairs of a query in their order, decoded as a form; `None` if there is a piece without `=`
/// or an escape that stands for no text.
#[must_use]
pub fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let decode = |text: &str| unescape(&text.replace('+', " "));
    query
        .split('&')
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((decode(key)?, decode(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{escape, escape_form, pairs, unescape};

    #[test]
    fn escaping_can_be_undone() {
        for text in ["", "a-b._~", "a b/é?#%41+", "\u{0}\n"] {
            assert_eq!(unescape(&escape(text)).as_deref(), Some(text));
        }
        assert_eq!(escape("a b+é~*"), "a%20b%2B%C3%A9~%2A");
        assert_eq!(escape_form("a b+"), "a+b%2B");
        assert_eq!(unescape("%f"), None);
        assert_eq!(unescape("%ff"), None);
    }

    #[test]
    fn pairs_are_read_in_order() {
        let read = pairs("b=1+2&a=%26").unwrap();
        assert_eq!(read, [("b".into(), "1 2".into()), ("a".into(), "&".into())]);
        assert_eq!(pairs("a&b=1"), None);
    }
}
