//! Texts as JSON writes them.

use super::output::{Output, Overflow};

/// Writes `text` between quotes.
#[inline]
pub(super) fn quoted(out: &mut Output, text: &str) -> Result<(), Overflow> {
    let bytes = text.as_bytes();
    if first_special(bytes) == bytes.len() {
        return out.between([b'"'], bytes, [b'"']);
    }
    out.push(b'"')?;
    escaped(out, text)?;
    out.push(b'"')
}

/// Writes a key with what stands around it, a comma in front unless it is the first.
#[inline]
pub(super) fn key(out: &mut Output, first: bool, text: &str) -> Result<(), Overflow> {
    let bytes = text.as_bytes();
    if first_special(bytes) == bytes.len() {
        return if first {
            out.between([b'"'], bytes, [b'"', b':'])
        } else {
            out.between([b',', b'"'], bytes, [b'"', b':'])
        };
    }
    if !first {
        out.push(b',')?;
    }
    quoted(out, text)?;
    out.push(b':')
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

/// Where the first byte is that has to be escaped: a quote, a backslash or a control character; the
/// length if there is none. Eight bytes are looked at together.
#[inline]
fn first_special(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let special = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    words.len() * 8 + rest.iter().position(special).unwrap_or(rest.len())
}

/// The high bit of each byte that is special. A borrow may set the bit of a byte above one that is,
/// so the lowest alone counts.
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
    use super::{Output, escaped, first_special, quoted};

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for special in (0..=255_u8).filter(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            for length in 1..20 {
                for at in 0..length {
                    for around in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff] {
                        let mut bytes = vec![around; length];
                        assert_eq!(first_special(&bytes), length);
                        bytes[at] = special;
                        assert_eq!(first_special(&bytes), at, "{special} in {length} of {around}");
                        // One behind it changes nothing.
                        bytes[length - 1] = b'"';
                        assert_eq!(first_special(&bytes), at);
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
