//! What any text of ours that goes to a log must be: one clean line without a secret.

use std::error::Error;
use std::fmt::Debug;

/// The longest excerpt of foreign text, in characters.
pub const LONGEST_EXCERPT: usize = 256;

/// Whether a text shows itself as it stands: no control characters, no line breaks, and nothing
/// that turns the reading direction.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.contains(|c| breaks(c) || turns(c))
}

/// An excerpt is clean and no longer than it may be.
///
/// # Panics
///
/// If it is not.
pub fn check_excerpt(excerpt: &str) {
    assert!(is_clean(excerpt), "the excerpt has control characters: {excerpt:?}");
    let length = excerpt.chars().count();
    assert!(length <= LONGEST_EXCERPT, "the excerpt has {length} characters: {excerpt:?}");
}

/// Everything that an error shows, its sources included, without the secrets.
///
/// # Panics
///
/// If one of the secrets shows.
pub fn check_error(error: &(dyn Error + 'static), secrets: &[&str]) {
    let mut next = Some(error);
    while let Some(error) = next {
        check_silent(&error.to_string(), secrets);
        check_debug(&error, secrets);
        next = error.source();
    }
}

/// `Debug`, plain and pretty, without the secrets.
///
/// # Panics
///
/// If one of the secrets shows.
pub fn check_debug(value: &impl Debug, secrets: &[&str]) {
    check_silent(&format!("{value:?}"), secrets);
    check_silent(&format!("{value:#?}"), secrets);
}

/// Whether a secret cannot stand in a message of ours by chance.
#[must_use]
pub fn is_telling(secret: &str) -> bool {
    let plain = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let has = |kind: fn(&u8) -> bool| secret.as_bytes().iter().any(kind);
    plain && secret.len() >= 8 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

/// A text without the secrets.
///
/// # Panics
///
/// If one of the secrets shows.
pub fn check_silent(text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!text.contains(secret), "the secret `{secret}` shows in: {text}");
    }
}
