//! How much code each crate has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};

use crate::command::metadata;
use crate::runner::Note;

/// The most lines that a crate may have. An adapter fits on a screen or two, since it asks little of
/// its library.
const BOUNDS: &[(&str, usize)] =
    &[("usage-hyper", 500), ("usage-reqwest", 250), ("usage-ureq", 250)];

/// Prints the lines of code in each member's `src`: neither blank nor comment, and tests apart.
pub(crate) fn lines() -> Result<Note, String> {
    let metadata = metadata("--no-deps")?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let mut above = Vec::new();
    println!("{:<16} {:>6} {:>6}", "crate", "lines", "bound");
    for package in packages {
        let name = package["name"].as_str().ok_or("a package has no name")?;
        let manifest = package["manifest_path"].as_str().ok_or("a package has no manifest")?;
        let source = Path::new(manifest).with_file_name("src");
        if !source.is_dir() {
            continue;
        }
        let lines = of_folder(&source)?;
        let bound = BOUNDS.iter().find(|(bounded, _)| *bounded == name).map(|(_, bound)| *bound);
        let shown = bound.map(|bound| bound.to_string()).unwrap_or_default();
        println!("{name:<16} {lines:>6} {shown:>6}");
        if bound.is_some_and(|bound| lines > bound) {
            above.push(format!("{name} has {lines} lines, above its bound of {shown}"));
        }
    }
    if above.is_empty() { Ok("") } else { Err(above.join("; ")) }
}

/// The lines of the Rust files below a folder; a file or folder of the name `tests` is apart.
fn of_folder(folder: &Path) -> Result<usize, String> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        format!("cannot count the lines of {}: {error}", path.display())
    };
    let mut total = 0;
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path: PathBuf = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            total += of_folder(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            total += of_text(&text).map_err(|error| unreadable(&path, &error))?;
        }
    }
    Ok(total)
}

/// The lines that hold a token. What is left out is a comment, also one that rustdoc reads.
fn of_text(text: &str) -> Result<usize, LexError> {
    let mut lines = BTreeSet::new();
    mark(text.parse()?, &mut lines);
    Ok(lines.len())
}

fn mark(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(ref mark) if mark.as_char() == '#' => {
                let inner = tokens.next_if(|next| is_punct(next, '!')).is_some();
                let Some(TokenTree::Group(attribute)) = tokens.peek() else { continue };
                let words = attribute.stream().to_string().replace(' ', "");
                if words.starts_with("doc=") {
                    tokens.next();
                } else if matches!(words.as_str(), "cfg(test)" | "cfg(doctest)") && !inner {
                    skip_item(&mut tokens);
                } else {
                    lines.insert(token.span().start().line);
                }
            }
            TokenTree::Group(group) => {
                lines.insert(group.span_open().start().line);
                mark(group.stream(), lines);
                lines.insert(group.span_close().end().line);
            }
            token => lines.extend(token.span().start().line..=token.span().end().line),
        }
    }
}

/// Leaves out an item: it ends with a body in braces or with a semicolon, or with both.
fn skip_item(tokens: &mut std::iter::Peekable<impl Iterator<Item = TokenTree>>) {
    for token in tokens.by_ref() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            token if is_punct(&token, ';') => return,
            _ => {}
        }
    }
    tokens.next_if(|next| is_punct(next, ';'));
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

#[cfg(test)]
mod tests {
    use super::of_text;

    #[track_caller]
    fn has(lines: usize, text: &str) {
        assert_eq!(of_text(text).unwrap(), lines, "{text}");
    }

    #[test]
    fn blank_lines_and_comments_are_not_counted() {
        has(0, "//! The crate.\n\n// A note.\n/* one\ntwo /* three */\n*/\n");
        has(3, "/// Adds.\nfn add() { // one\n    /* two */ three();\n\n}\n");
        has(2, "/** A page. */\n#[must_use]\nfn f() {}");
        has(2, "#![forbid(unsafe_code)]\n#![doc = \"A crate.\"]\nfn f() {}");
    }

    #[test]
    fn what_looks_like_a_comment_in_a_text_is_code() {
        has(2, "const A: &str = \"*/*\"; const B: &str = \"/*\";\nconst C: &str = r#\"\"//\"#;");
        has(3, "const A: &str = \"one\n// two\nthree\";");
    }

    #[test]
    fn tests_are_apart() {
        has(
            1,
            "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    const A: &str = \"}\";\n    fn g() {}\n}\n",
        );
        has(
            2,
            "fn f() {}\n#[cfg(test)]\nuse a::{b, c};\n#[cfg(test)]\n#[derive(Debug)]\nstruct S(u8);\nfn g() {}",
        );
        has(2, "#[cfg(not(test))]\nfn f() {}");
    }
}
