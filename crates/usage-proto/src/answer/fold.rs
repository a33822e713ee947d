//! The names `error` and `errors`, in any letter case.

/// Whether a key is `name` to Go's JSON decoder, which folds letters as Unicode does: besides the
/// ASCII cases, U+017F is an `s` (rule W36). `name` is lower-case ASCII without a `k`, whose odd
/// twin U+212A would have to be known too.
pub(super) fn is_key(key: &[u8], name: &str) -> bool {
    let Ok(key) = std::str::from_utf8(key) else { return false };
    let folded = key.chars().map(|c| if c == '\u{17f}' { 's' } else { c.to_ascii_lowercase() });
    folded.eq(name.chars())
}

#[cfg(test)]
mod tests {
    use super::is_key;

    #[test]
    fn w36_folds_as_go_does() {
        for key in ["errors", "ERRORS", "Errors", "error\u{17f}"] {
            assert!(is_key(key.as_bytes(), "errors"), "{key}");
        }
        for key in ["error", "errors ", "err0rs", "\u{fffd}"] {
            assert!(!is_key(key.as_bytes(), "errors"), "{key}");
        }
    }
}
