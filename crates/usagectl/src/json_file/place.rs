//! Where in a text something is: the parser tells how far it had read, people look for the start
//! of what it had read.

use std::fmt;

use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::words;

/// A line, and a character in it, both counted from 1.
pub(super) struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// Of the byte at `offset`.
    pub(super) fn of(text: &[u8], offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = before.split(|&byte| byte == b'\n').count();
        // A byte order mark is no character that an editor would count.
        let begun = String::from_utf8_lossy(&before[start..]);
        let column = 1 + begun.chars().filter(|&c| c != '\u{feff}').count();
        Self { line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where the value starts that `error` is about, or the syntax breaks.
pub(super) fn value(json: &str, error: &serde_json::Error) -> usize {
    let read = read(json, error);
    // The one mistake of another category that is about a value that was read.
    let out_of_range = words::raw(error) == words::OUT_OF_RANGE;
    if error.classify() != Category::Data && !out_of_range {
        // The byte that does not belong there was read, or was not there.
        return read.saturating_sub(1);
    }
    let bytes = json.as_bytes();
    match read.checked_sub(1).map(|last| bytes[last]) {
        // A list or an object is refused before it is read, at the last byte before it.
        None | Some(b':' | b',' | b'[' | b'{' | b' ' | b'\t' | b'\r' | b'\n') => {
            let space = bytes[read..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            read + space
        }
        Some(b'"') => string_start(bytes, read - 1),
        Some(_) => {
            let scalar = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
            bytes[..read].iter().rposition(|byte| !scalar(byte)).map_or(0, |at| at + 1)
        }
    }
}

/// Where the key starts whose value was refused.
pub(super) fn key(json: &str, error: &serde_json::Error) -> usize {
    let before = &json.as_bytes()[..read(json, error)];
    let quote = before.iter().rposition(|&byte| byte == b'"').unwrap_or_default();
    string_start(before, quote)
}

/// The path as `usage-proto` writes it: `[0].values.uptime`, and nothing for the root.
pub(super) fn path(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.extend(["[", &index.to_string(), "]"]),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                text.extend([if text.is_empty() { "" } else { "." }, name]);
            }
            // The file ends in the midst of a key.
            Segment::Unknown => {}
        }
    }
    text
}

/// How many bytes were read when `error` was found.
fn read(json: &str, error: &serde_json::Error) -> usize {
    let lines = json.split_inclusive('\n').take(error.line().saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    (start + error.column()).min(json.len())
}

/// The opening quote of the string whose closing quote is at `end`.
fn string_start(bytes: &[u8], end: usize) -> usize {
    let mut quotes = bytes[..end].iter().enumerate().rev().filter(|&(_, &byte)| byte == b'"');
    let opening = quotes.find(|&(at, _)| {
        // A quote behind an odd number of backslashes belongs to the string.
        let escapes = bytes[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
        escapes % 2 == 0
    });
    opening.map_or(0, |(at, _)| at)
}
