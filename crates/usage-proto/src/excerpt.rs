//! Text from elsewhere, made fit for one line of a message or a log (rule W33).

/// The longest excerpt, in characters.
pub(crate) const MAX_CHARS: usize = 256;

/// `text` on one line: runs of white space, control characters, and characters that turn the
/// reading direction become one space, and what is longer than [`MAX_CHARS`] is cut and ends in
/// `…`. Nothing is dropped without a trace: two parts of a text never grow together.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() || turns_direction(c) {
            gap = count > 0;
            continue;
        }
        let needed = if gap { 2 } else { 1 };
        if count + needed > MAX_CHARS {
            if count == MAX_CHARS {
                out.pop();
            }
            out.push('…');
            return out;
        }
        if gap {
            out.push(' ');
            gap = false;
        }
        out.push(c);
        count += needed;
    }
    out
}

/// Format characters with which a text can show itself in another order than it stands.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
