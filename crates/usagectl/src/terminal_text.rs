//! Text from elsewhere, made fit for a terminal.

use std::borrow::Cow;

/// `text` on one line, with what a terminal might obey written as an escape: `\n`, `\u{1b}`,
/// `\u{202e}`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a terminal or a viewer of logs might do something at this character instead of showing
/// it: control characters, what breaks a line, and what turns the reading direction.
pub(crate) fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// The first line of `text`, clipped to `width` characters.
pub(crate) fn excerpt(text: &str, width: usize) -> String {
    let text = escape(text.trim());
    match text.char_indices().nth(width) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// Breaks a long line so that each piece has at most `width` characters, behind a comma or a space
/// where there is one.
pub(crate) fn wrap(line: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((end, _)) = rest.char_indices().nth(width) {
        // A break that leaves next to nothing on the line is worse than one inside a word.
        let cut = match rest[..end].rfind([',', ' ']) {
            Some(at) if at >= width / 3 => at + 1,
            _ => end,
        };
        let (piece, next) = rest.split_at(cut);
        pieces.push(piece);
        rest = next;
    }
    pieces.push(rest);
    pieces
}

/// `text` without the token: some servers repeat what they were sent, escaped or not.
pub(crate) fn redact(text: &str, token: Option<&usage_proto::Token>) -> String {
    token.map_or(Cow::Borrowed(text), |token| token.redacted(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{escape, is_obeyed};

    /// Every character that a terminal or a viewer might obey, by the classes of Unicode.
    #[test]
    fn what_is_obeyed_is_escaped_and_nothing_else() {
        for c in ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}') {
            assert!(is_obeyed(c), "{c:?}");
        }
        // Bidi_Control, and the separators of lines and paragraphs.
        for c in "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
                  \u{2066}\u{2067}\u{2068}\u{2069}"
            .chars()
        {
            assert!(is_obeyed(c), "{c:?}");
        }
        // Joiners are a part of words, and of emoji.
        let plain = "a \"b\" 'c' \\ é 日本語 ‘‘ שלום \u{200c}\u{200d}👩\u{200d}💻 \u{a0}";
        assert_eq!(escape(plain), plain);
        assert_eq!(
            escape("a\n\u{1b}[31m\u{9b}1m\u{7f}\u{202e}b"),
            "a\\n\\u{1b}[31m\\u{9b}1m\\u{7f}\\u{202e}b"
        );
    }
}
