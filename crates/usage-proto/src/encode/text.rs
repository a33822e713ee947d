//! Texts as JSON writes them.

use super::output::{Output, Overflow};

/// Writes `text` between quotes.
#[inline]
pub(super) fn quoted(out: &mut Output, text: &str) -> Result<(), Overflow> {
    around(out, [b'"'], text, [b'"'])
}

/// Writes a key with what stands around it, a comma in front unless it is the first.
#[inline]
pub(super) fn key(out: &mut Output, first: bool, text: &str) -> Result<(), Overflow> {
    if first {
        around(out, [b'"'], text, [b'"', b':'])
    } else {
        around(out, [b',', b'"'], text, [b'"', b':'])
    }
}

#[inline]
fn around<const F: usize, const B: usize>(
    out: &mut Output,
    front: [u8; F],
    text: &str,
    behind: [u8; B],
) -> Result<(), Overflow> {
    if is_plain(text.as_bytes()) {
        return out.between(front, text.as_bytes(), behind);
    }
    out.extend(&front)?;
    escaped(out, text)?;
    out.extend(&behind)
}

/// Writes `text` with its escapes, and no quotes around it.
pub(super) fn escaped(out: &mut Output, text: &str) -> Result<(), Overflow> {
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(first_special(rest));
        out.extend(plain)?;
        let Some((&byte, behind)) = special.split_first() else { return Ok(()) };
        escape(out, byte)?;
        rest = behind;
    }
}

fn escape(out: &mut Output, byte: u8) -> Result<(), Overflow> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let (high, low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
            return out.extend(&[b'\\', b'u', b'0', b'0', high, low]);
        }
    };
    out.extend(&[b'\\', short])
}

/// Whether a byte has to be escaped: a quote, a backslash or a control character.
#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Where the first byte is that has to be escaped; the length if there is none.
fn first_special(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| is_special(byte)).unwrap_or(bytes.len())
}

/// Whether nothing has to be escaped. Pieces of a size that the compiler knows are looked at
/// together; the last one may overlap the one before it.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<16>() {
        let (chunks, _) = bytes.as_chunks::<16>();
        return !chunks.iter().any(|chunk| any_special(*chunk)) && !any_special(*last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let [first, last] = [first, last].map(|word| u64::from_le_bytes(*word));
        return specials(first) | specials(last) == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
        return specials(first | last << 32) == 0;
    }
    !bytes.iter().any(|&byte| is_special(byte))
}

#[inline]
fn any_special(bytes: [u8; 16]) -> bool {
    bytes.iter().fold(false, |any, &byte| any | is_special(byte))
}

/// Not zero if one of eight bytes is special.
#[inline]
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = is_zero(word ^ (ONES * u64::from(b'"')));
    let backslash = is_zero(word ^ (ONES * u64::from(b'\\')));
    (control | quote | backslash) & HIGH
}

#[cfg(test)]
mod tests {
    use super::{Output, escaped, is_plain, is_special, quoted};

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        for special in (0..=255_u8).filter(|&byte| is_special(byte)) {
            for length in 0..40 {
                for around in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff] {
                    let plain = vec![around; length];
                    assert!(is_plain(&plain));
                    for at in 0..length {
                        let mut bytes = plain.clone();
                        bytes[at] = special;
                        assert!(!is_plain(&bytes), "{special} at {at} in {length} of {around}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_character_is_written_as_serde_json_does() {
        let mut texts: Vec<String> =
            (0..0x180).filter_map(char::from_u32).map(String::from).collect();
        texts.extend(
            ["\u{2028}\u{10ffff}", "plain text of some length", "a\"b\\c\nd\u{1}"]
                .map(str::to_owned),
        );
        texts.push(texts.concat());
        for text in texts {
            let mut out = Output::new(usize::MAX);
            assert!(quoted(&mut out, &text).is_ok());
            assert_eq!(out.into_bytes(), serde_json::to_vec(&text).unwrap(), "{text:?}");
            let mut out = Output::new(usize::MAX);
            assert!(escaped(&mut out, &text).is_ok());
            let whole = serde_json::to_string(&text).unwrap();
            assert_eq!(out.into_bytes(), &whole.as_bytes()[1..whole.len() - 1]);
        }
    }
}
