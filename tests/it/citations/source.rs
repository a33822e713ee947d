//! Finds the test functions of a Rust source, with their comments.

/// A function under a test attribute.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestFunction {
    pub(super) name: String,
    /// The comments inside it and right above it.
    pub(super) comments: Vec<String>,
}

/// The functions with `#[test]`, `#[tokio::test]` and the like.
pub(super) fn test_functions(source: &str) -> Vec<TestFunction> {
    let tokens = tokens(source);
    let mut tests = Vec::new();
    let mut above = Vec::new();
    let mut is_test = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Comment(text) => above.push(text.clone()),
            Token::Punctuation('#') => {
                let attribute = group(&tokens, &mut at);
                is_test |= names_test(attribute);
            }
            Token::Word(word) if word == "fn" && is_test => {
                let Some(Token::Word(name)) = tokens.get(at) else { continue };
                while tokens.get(at).is_some_and(|token| *token != Token::Punctuation('(')) {
                    at += 1;
                }
                group(&tokens, &mut at);
                while tokens.get(at).is_some_and(|token| *token != Token::Punctuation('{')) {
                    at += 1;
                }
                let mut comments = std::mem::take(&mut above);
                comments.extend(group(&tokens, &mut at).iter().filter_map(Token::comment));
                tests.push(TestFunction { name: name.clone(), comments });
                is_test = false;
            }
            // What may stand between the attributes and `fn`.
            Token::Word(word) if is_test && ["pub", "async"].contains(&word.as_str()) => {}
            _ => {
                above.clear();
                is_test = false;
            }
        }
    }
    tests
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Comment(String),
    Word(String),
    Punctuation(char),
}

impl Token {
    fn comment(&self) -> Option<String> {
        match self {
            Self::Comment(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Whether an attribute is `test`, or a path that ends in it, with or without arguments.
fn names_test(attribute: &[Token]) -> bool {
    let path = attribute.iter().skip(1).take_while(|token| match token {
        Token::Word(_) => true,
        Token::Punctuation(mark) => *mark == ':',
        Token::Comment(_) => false,
    });
    matches!(path.last(), Some(Token::Word(word)) if word == "test")
}

/// The tokens from the bracket at `at` to the one that closes it; `at` is behind it afterwards.
fn group<'t>(tokens: &'t [Token], at: &mut usize) -> &'t [Token] {
    let start = (*at).min(tokens.len());
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match token {
            Token::Punctuation('(' | '[' | '{') => depth += 1,
            Token::Punctuation(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        // An inner attribute has a `!` in front of its bracket.
        if depth == 0 && *token != Token::Punctuation('!') {
            break;
        }
    }
    &tokens[start..*at]
}

/// Comments, words and punctuation; texts and characters are passed over.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            tokens.push(Token::Comment(rest[..end].to_owned()));
            end
        } else if rest.starts_with("/*") {
            let end = block_comment(rest);
            tokens.push(Token::Comment(rest[..end].to_owned()));
            end
        } else if let Some(end) = text(rest) {
            end
        } else if first == '\'' {
            character(rest)
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            end
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Punctuation(first));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a text literal of any kind at the start, if there is one.
fn text(rest: &str) -> Option<usize> {
    let prefix = rest.find(|c: char| !"bcr".contains(c))?;
    let literal = &rest[prefix..];
    if rest[..prefix].contains('r') {
        let marks = literal.find(|c| c != '#')?;
        let inside = literal[marks..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(marks));
        let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
        return Some(prefix + marks + 1 + length);
    }
    let inside = literal.strip_prefix('"')?;
    let mut escaped = false;
    let end = inside.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    Some(prefix + 1 + end.map_or(inside.len(), |at| at + 1))
}

/// The length of a character literal, or of the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(rest.len(), |at| at + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{TestFunction, test_functions};

    fn found(source: &str) -> Vec<(String, usize)> {
        let tests = test_functions(source).into_iter();
        tests.map(|TestFunction { name, comments }| (name, comments.len())).collect()
    }

    #[test]
    fn only_functions_under_a_test_attribute_are_found() {
        let source = r##"
            // W1
            fn helper<'a>(text: &'a str) -> char { '}' }
            /// above
            #[test]
            #[should_panic(expected = "}")]
            fn one() { let a = "// no } comment"; /* inside /* it */ */ f('\'', r#"}"# ); }
            // W2
            const X: u8 = b'{';
            #[cfg(test)] mod tests { #[tokio::test(flavor = "x")] async fn two() {} fn three() { // W3
            } }
            proptest! { #[test] fn four(x in any::<u8>()) { // in
                assert!(x > 0); } }
        "##;
        let expected = [("one", 2), ("two", 0), ("four", 1)];
        assert_eq!(found(source), expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
