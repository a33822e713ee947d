//! Text from elsewhere, made fit for a terminal.

use std::borrow::Cow;

/// `text` without what a terminal might obey: control characters, and those that turn the reading
/// direction, become spaces.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || turns_direction(c) { ' ' } else { c }).collect()
}

/// The first line of `text`, clipped to `width` characters.
pub(crate) fn excerpt(text: &str, width: usize) -> String {
    let text = clean(text.trim());
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

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
