//! The file that holds the body of a report.
//!
//! It goes through the payloads of `usage-proto`, so that what is sent is what a program would
//! send. Whatever would be lost on that way is refused, with the place where it stands: nobody is
//! to think that it was sent.

mod integers;
mod place;
mod shape;
mod words;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::str::Utf8Error;
use std::time::Duration;

use serde_json::value::RawValue;

pub(crate) use shape::Sample;

use crate::failure::Failure;
use crate::text;

/// The largest file that is read, in bytes: white space may make it larger than a body can be.
const LIMIT: usize = 16 << 20;

/// How long a file may take, which may be a pipe that another program writes to.
const WAIT: Duration = Duration::from_secs(30);

/// A file that was read, and is to be understood.
pub(crate) struct JsonFile {
    name: String,
    bytes: Vec<u8>,
}

/// What is wrong with a file, and where.
struct Mistake {
    /// From the start of the file.
    offset: usize,
    message: String,
    /// The path from the root of the body, such as `[0].tags`; empty for the root itself.
    path: String,
    /// Whether the message says already what it is about.
    named: bool,
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
    pub(crate) fn parse<P: Sample>(&self) -> Result<P, Failure> {
        self.understand().map_err(|mistake| self.refuse(mistake))
    }

    /// A failure that points at the value of `field`, which stands in the object at the root.
    pub(crate) fn refuse_field(&self, field: &str, message: String) -> Failure {
        let offset = self.text().ok().and_then(|text| {
            let fields: BTreeMap<String, &RawValue> =
                serde_json::from_str(without_mark(text)).ok()?;
            let value: &str = fields.get(field)?.get();
            // It is a part of the text.
            Some(value.as_ptr().addr() - text.as_ptr().addr())
        });
        let offset = offset.unwrap_or_default();
        self.refuse(Mistake { offset, message, path: field.to_owned(), named: true })
    }

    fn refuse(&self, mistake: Mistake) -> Failure {
        let place = place::Place::of(&self.bytes, mistake.offset);
        let path = Some(mistake.path).filter(|path| !path.is_empty());
        let at = match &path {
            Some(path) if !mistake.named => format!("{path}: "),
            _ => String::new(),
        };
        Failure::Build {
            message: text::clean(&format!("{}:{place}: {at}{}", self.name, mistake.message)),
            field: path,
            source: None,
        }
    }

    fn text(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.bytes)
    }

    fn understand<P: Sample>(&self) -> Result<P, Mistake> {
        let text = self.text().map_err(|error| Mistake {
            offset: error.valid_up_to(),
            message: "this is not UTF-8".to_owned(),
            path: String::new(),
            named: true,
        })?;
        let json = without_mark(text);
        let mark = text.len() - json.len();
        if json.trim().is_empty() {
            let message = "the file is empty: it should hold the JSON body of the report";
            let (message, path) = (message.to_owned(), String::new());
            return Err(Mistake { offset: 0, message, path, named: true });
        }
        let moved = |mistake: Mistake| Mistake { offset: mistake.offset + mark, ..mistake };

        shape::check::<P>(json).map_err(moved)?;
        integers::check(json).map_err(moved)?;
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(
            |error| {
                let path = place::path(error.path());
                moved(Mistake::of_value(json, error.inner(), path))
            },
        )
    }
}

impl Mistake {
    /// What the parser has found at a value, or between two.
    fn of_value(json: &str, error: &serde_json::Error, path: String) -> Self {
        Self {
            offset: place::value(json, error),
            message: words::message(error),
            path,
            named: false,
        }
    }
}

/// RFC 8259, section 8.1: a byte order mark may be passed over.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn read(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = file.take(LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    if length > LIMIT {
        return Err(io::Error::other(format!("it is larger than {LIMIT} bytes")));
    }
    Ok(bytes)
}
