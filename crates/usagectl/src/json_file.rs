//! The file that holds the body of a report.
//!
//! It goes through the payloads of `usage-proto`, so that what is sent is what a program would
//! send. Whatever would be lost on that way is refused, with the path to it: nobody is to think
//! that it was sent.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::failure::Failure;
use crate::lossless;

/// The largest file that is read, in bytes: white space may make it larger than a body can be.
const LIMIT: usize = 16 << 20;

/// How long a file may take, which may be a pipe that another program writes to.
const WAIT: Duration = Duration::from_secs(30);

/// A file that was read, and is to be understood.
pub(crate) struct JsonFile {
    name: String,
    bytes: Vec<u8>,
}

/// What is wrong with a file.
struct Mistake {
    /// From the root of the body, such as `[0].tags`; empty for the root itself.
    path: String,
    message: String,
}

impl JsonFile {
    /// What came from somewhere else, such as a program.
    pub(crate) fn new(name: String, bytes: Vec<u8>) -> Self {
        Self { name, bytes }
    }

    /// Reads `path`, or standard input if it is `-`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let (name, bytes) = if path.as_os_str() == "-" {
            (String::from("<stdin>"), read(io::stdin().lock()))
        } else {
            let bytes = usage_files::read(path, LIMIT, WAIT);
            let bytes = bytes.map_err(|error| Failure::unread(error, "", None))?;
            (path.display().to_string(), Ok(bytes))
        };
        match bytes {
            Ok(bytes) => Ok(Self { name, bytes }),
            Err(source) => Err(Failure::Build {
                message: format!("cannot read {name}"),
                field: None,
                source: Some(source.into()),
            }),
        }
    }

    /// The payload that the file holds. Its product is left empty, unless the body names it.
    pub(crate) fn parse<P: DeserializeOwned>(&self) -> Result<P, Failure> {
        self.understand().map_err(|Mistake { path, message }| self.refuse(&path, &message))
    }

    /// A failure that blames the value at `path`.
    pub(crate) fn refuse(&self, path: &str, message: &str) -> Failure {
        let name = &self.name;
        let (message, field) = match path {
            "" => (format!("{name}: {message}"), None),
            path => (format!("{name}: {path}: {message}"), Some(path.to_owned())),
        };
        Failure::Build { message, field, source: None }
    }

    fn understand<P: DeserializeOwned>(&self) -> Result<P, Mistake> {
        let root = |message: String| Mistake { path: String::new(), message };
        let text = std::str::from_utf8(&self.bytes).map_err(|error| root(error.to_string()))?;
        // RFC 8259, section 8.1: a byte order mark may be passed over.
        let json = text.strip_prefix('\u{feff}').unwrap_or(text);
        if json.trim().is_empty() {
            return Err(root(
                "it is empty, and should hold the JSON body of the report".to_owned(),
            ));
        }
        let payload = parse(json)?;
        lossless::check(json)
            .map_err(|lossless::Loss { path, message }| Mistake { path, message })?;
        Ok(payload)
    }
}

/// Reads a payload that has no field beyond its own.
fn parse<P: DeserializeOwned>(json: &str) -> Result<P, Mistake> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let mut track = serde_path_to_error::Track::new();
    let mut unknown = None;
    let mut ignored = |path: serde_ignored::Path<'_>| {
        unknown.get_or_insert_with(|| ignored_path(&path));
    };
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    let payload = P::deserialize(serde_ignored::Deserializer::new(tracked, &mut ignored))
        .and_then(|payload| reader.end().map(|()| payload))
        .map_err(|error| Mistake {
            path: tracked_path(&track.path()),
            message: words(json, &error),
        })?;
    match unknown {
        None => Ok(payload),
        Some(path) => {
            let product = if path == "product" { ": --product names the product" } else { "" };
            let message = format!("a report has no such field, and it would not be sent{product}");
            Err(Mistake { path, message })
        }
    }
}

fn words(json: &str, error: &serde_json::Error) -> String {
    match (error.classify(), not_a_number(json, error)) {
        (_, Some(word)) => format!("{error}: JSON has no {word}; leave it out, or write null"),
        (Category::Syntax | Category::Eof, None) => format!("not JSON: {error}"),
        _ => error.to_string(),
    }
}

/// The NaN or the infinity at which the reading ended: other languages write them into what they
/// call JSON.
fn not_a_number(json: &str, error: &serde_json::Error) -> Option<String> {
    if error.classify() != Category::Syntax {
        return None;
    }
    let line = json.lines().nth(error.line().checked_sub(1)?)?;
    let at = error.column().checked_sub(1)?;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-".contains(byte);
    let (before, behind) = line.as_bytes().split_at_checked(at)?;
    let length = behind.iter().take_while(|byte| is_part(byte)).count();
    let start = at - before.iter().rev().take_while(|byte| is_part(byte)).count();
    let word = line.get(start..at + length)?;
    let name = word.trim_start_matches(['+', '-']).to_ascii_lowercase();
    matches!(&*name, "nan" | "inf" | "infinity").then(|| word.to_owned())
}

/// As `usage-proto` writes it: `[0].values.uptime`, and nothing for the root.
fn tracked_path(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    // Behind the last key that was whole, a file may end or break.
    let known = text.strip_suffix('?').unwrap_or(&text);
    known.strip_suffix('.').unwrap_or(known).to_owned()
}

/// The same.
fn ignored_path(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path::{Map, NewtypeStruct, NewtypeVariant, Root, Seq, Some};

    match path {
        Root => String::new(),
        Seq { parent, index } => lossless::item(&ignored_path(parent), *index),
        Map { parent, key } => lossless::entry(&ignored_path(parent), key),
        Some { parent } | NewtypeStruct { parent } | NewtypeVariant { parent } => {
            ignored_path(parent)
        }
    }
}

fn read(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = file.take(LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    if length > LIMIT {
        return Err(io::Error::other(format!("it is larger than {LIMIT} bytes")));
    }
    Ok(bytes)
}
