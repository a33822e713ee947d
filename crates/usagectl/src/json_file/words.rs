//! What a parser says, in the words of JSON and of the people who write it.

/// The message of `error` as the parser words it, without the place.
pub(super) fn raw(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// The parser's word for a number that no float holds.
pub(super) const OUT_OF_RANGE: &str = "number out of range";

/// What `error` says, without the place.
pub(super) fn message(error: &serde_json::Error) -> String {
    let raw = raw(error);
    if let Some((found, expected)) = raw
        .strip_prefix("invalid type: ")
        .or_else(|| raw.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    {
        return format!("expected {}, found {}", expected_type(expected), found_value(found));
    }
    let known = match raw.as_str() {
        "EOF while parsing a list" => "the file ends inside a list",
        "EOF while parsing an object" => "the file ends inside an object",
        "EOF while parsing a string" => "the file ends inside a string",
        "EOF while parsing a value" => "the file ends where a value should stand",
        "expected value" => "expected a value",
        "expected ident" => "expected `true`, `false` or `null`",
        "expected `\"`" => "expected a string",
        "key must be a string" => "expected a key in double quotes",
        "trailing comma" => "nothing follows the comma",
        "trailing characters" => "there is more behind the end of the body",
        "invalid number" => "this is no number in JSON",
        OUT_OF_RANGE => "the number is too large for a float",
        "invalid escape" => "no such escape: a backslash itself is written `\\\\`",
        "invalid unicode code point"
        | "lone leading surrogate in hex escape"
        | "unexpected end of hex escape" => "`\\u` stands here with half of a surrogate pair",
        "recursion limit exceeded" => "lists and objects are nested too deeply",
        other if other.starts_with("control character") => {
            "a line break or another control character is in a string: write it as an escape, \
             such as `\\n`"
        }
        // Our own, and what is plain as it stands, such as "expected `,` or `]`".
        other => other,
    };
    known.to_owned()
}

fn expected_type(rust: &str) -> &str {
    match rust {
        "map" | "a map" => "an object",
        "sequence" | "a sequence" => "a list",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

fn found_value(rust: &str) -> String {
    match rust {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        other => match other.split_once(' ') {
            Some(("boolean", value)) => value.to_owned(),
            Some(("integer", value)) => format!("the number {value}"),
            Some(("floating", value)) => {
                format!("the number {}", value.trim_start_matches("point "))
            }
            Some(("string", _)) => format!("the {other}"),
            _ => other.to_owned(),
        },
    }
}
