//! A secret taken out of a text that somebody else wrote.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr3};

/// What stands in the place of a secret.
const MARK: &str = "[redacted]";

/// A secret shorter than this is left where it stands: it may well be a part of some word.
const SHORTEST: usize = 8;

/// `text` without `secret`, which is visible ASCII and inner spaces.
pub(crate) fn redacted<'t>(text: &'t str, secret: &str) -> Cow<'t, str> {
    let Some([begin, ..]) = secret.as_bytes().first_chunk::<SHORTEST>() else { return text.into() };
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    // It begins bare or with an escape. These are ASCII, and no part of another character.
    while let Some(skipped) = memchr3(*begin, b'\\', b'%', &text.as_bytes()[at..]) {
        at += skipped;
        match secret_at(&text.as_bytes()[at..], secret.as_bytes()) {
            Some(length) => {
                out.push_str(&text[kept..at]);
                out.push_str(MARK);
                at += length;
                kept = at;
            }
            None => at += 1,
        }
    }
    if kept == 0 {
        return text.into();
    }
    out.push_str(&text[kept..]);
    out.into()
}

/// Whether `secret` may stand in a text that is read from `bytes`, JSON or not. One look at all of it
/// spares one at each text: it is seldom there.
pub(crate) fn may_stand_in(bytes: &[u8], secret: &[u8]) -> bool {
    let Some(start) = secret.first_chunk::<SHORTEST>() else { return false };
    memchr3(b'\\', b'%', b'+', bytes).is_some()
        || memchr_iter(start[0], bytes).any(|at| bytes[at..].starts_with(start))
}

/// How many bytes the secret takes at the start of `text`, however each character is written. What
/// ends before the secret does counts if enough of it is there.
fn secret_at(text: &[u8], secret: &[u8]) -> Option<usize> {
    if text.starts_with(secret) {
        return Some(secret.len());
    }
    let mut rest = text;
    for (index, &wanted) in secret.iter().enumerate() {
        if rest.is_empty() && index >= SHORTEST {
            break;
        }
        rest = &rest[character(rest, wanted)?..];
    }
    Some(text.len() - rest.len())
}

/// How many bytes `wanted` takes at the start of `text`: `\x`, `\u00XX`, `%XX`, `+` for a space,
/// or bare.
fn character(text: &[u8], wanted: u8) -> Option<usize> {
    match text {
        [b'+', ..] if wanted == b' ' => Some(1),
        [b'\\', escaped, ..] if *escaped == wanted => Some(2),
        [b'\\', b'u', b'0', b'0', high, low, ..] if hex(*high, *low) == Some(wanted) => Some(6),
        [b'%', high, low, ..] if hex(*high, *low) == Some(wanted) => Some(3),
        // Last, since a `%` or a backslash may be the start of its own escape.
        [first, ..] if *first == wanted => Some(1),
        _ => None,
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::{may_stand_in, redacted};

    const SECRET: &str = "a/b\"c d+e%f";

    #[test]
    fn w6_every_way_to_write_it_is_found() {
        for written in [
            SECRET,
            r#"a\/b\"c d+e%f"#,
            r"a\u002fb\u0022c\u0020d\u002Be\u0025f",
            "a%2Fb%22c%20d%2be%25f",
            "a%2Fb%22c+d%2be%25f",
        ] {
            assert_eq!(
                redacted(&format!("é {written}!{written}"), SECRET),
                "é [redacted]![redacted]"
            );
            assert!(may_stand_in(format!("é {written}").as_bytes(), SECRET.as_bytes()));
        }
    }

    #[test]
    fn w46_the_start_of_it_at_the_end_of_a_text_is_found() {
        for cut in [r#"x a\/b\"c d+"#, "x a/b\"c d+"] {
            assert_eq!(redacted(cut, SECRET), "x [redacted]");
            assert!(may_stand_in(cut.as_bytes(), SECRET.as_bytes()));
        }
        assert_eq!(redacted("x a/b\"c d", SECRET), "x a/b\"c d");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "a/b", "a/b\"c d+e%", "\\", "%", "a%2", r"\u00"] {
            assert!(matches!(redacted(text, "longer-than-this"), std::borrow::Cow::Borrowed(_)));
        }
        assert_eq!(redacted("short short", "short"), "short short");
        assert!(
            !may_stand_in(b"short", b"short") && !may_stand_in(b"longish-than", b"longer-than")
        );
    }
}
