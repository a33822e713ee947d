//! What SQLite says, in words.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

/// The words of a `SQLite` error, said once. Its own sources repeat it in other words, and its text
/// may name the file, which whoever holds it names too.
pub(in crate::store) fn said(error: &rusqlite::Error, path: &Path) -> Arc<dyn Error + Send + Sync> {
    let text = error.to_string();
    let words = text.strip_suffix(&format!(": {}", path.display())).unwrap_or(&text);
    Box::<dyn Error + Send + Sync>::from(words).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::said;

    #[test]
    fn an_error_of_sqlite_is_told_once() {
        let path = Path::new("/nowhere/usage.db");
        let error = Connection::open(path).unwrap_err();
        // What is to be mended here.
        assert!(std::error::Error::source(&error).is_some() && error.to_string().contains('/'));
        let words = said(&error, path);
        assert_eq!(words.to_string(), "unable to open database file");
        assert!(words.source().is_none());
    }
}
