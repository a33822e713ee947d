//! The key that names one report on each attempt to send it (rule W43).

use http::HeaderMap;
use usage_proto::{IDEMPOTENCY_KEY, ValidationErrors};

use crate::refusal::KEY_FIELD;

/// The longest key, in bytes.
const LONGEST: usize = 256;

/// The key of a request, if it has one: a quoted string as in RFC 9651, section 3.3.3, whose
/// content means nothing here.
///
/// A key that can not be read is refused. To pass over it would store a retry twice, and 400 would
/// look like a success to deployed Go clients.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, ValidationErrors> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => unquote(value.as_bytes()),
        (Some(_), Some(_)) => None,
    };
    if let Some(key) = key.filter(|key| (1..=LONGEST).contains(&key.len())) {
        return Ok(Some(key));
    }
    let mut errors = ValidationErrors::new();
    errors.push(
        KEY_FIELD,
        format!(
            "Idempotency-Key must be one quoted string of 1 to {LONGEST} visible ASCII characters."
        ),
    );
    Err(errors)
}

fn unquote(value: &[u8]) -> Option<String> {
    let inner = value.trim_ascii().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut key = String::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        key.push(match byte {
            b'\\' => match bytes.next()? {
                escaped @ (b'"' | b'\\') => char::from(*escaped),
                _ => return None,
            },
            b'"' => return None,
            b' '..=b'~' => char::from(byte),
            _ => return None,
        });
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::unquote;

    #[test]
    fn quoted_strings_of_rfc_9651() {
        for (value, key) in [
            (r#""8e03978e""#, Some("8e03978e")),
            (r#"  "a b"  "#, Some("a b")),
            (r#""say \"hi\" \\""#, Some(r#"say "hi" \"#)),
            (r#""""#, Some("")),
            ("bare", None),
            (r#"""#, None),
            (r#""open"#, None),
            (r#""a"b""#, None),
            (r#""ends \""#, None),
            (r#""unknown \n""#, None),
            ("\"caf\u{e9}\"", None),
            ("\"tab\t\"", None),
        ] {
            assert_eq!(unquote(value.as_bytes()).as_deref(), key, "{value}");
        }
    }
}
