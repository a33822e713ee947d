//! The last usage report, as it left.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use usage_proto::Error;

use super::stamp::Stamp;

/// No text of it takes more, as JSON, than what is left of 64 KiB by all that stands beside the body.
const BODY: usize = 48 * 1024;
const URL: usize = 4 * 1024;
const HEADERS: usize = 16;
const HEADER: usize = 256;
const ERROR: usize = 2 * 1024;

/// What stands in place of a token.
const REDACTED: &str = "[redacted]";

/// The last usage report as it left this machine, with the answer that it had, so that the customer
/// whose machine it is can read what was sent.
///
/// The token is not in it. It serializes to 64 KiB of JSON at the most: what is too long is cut, and
/// [`is_whole`](Self::is_whole) says so. A reporter hands it out with the state
/// ([`Snapshot::last_sent`](crate::Snapshot::last_sent)), and
#[cfg_attr(
    feature = "state_file",
    doc = "[`StateFile`](crate::StateFile) keeps it beside the state."
)]
#[cfg_attr(not(feature = "state_file"), doc = "`StateFile` keeps it beside the state.")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSent {
    version: Version,
    pub(super) sent_unix_ns: Stamp,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    /// Before it was cut.
    body_bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer<'a> {
    Saved(StatusCode),
    Failed(&'a Error),
    /// Nobody waited for it.
    NotAwaited,
}

impl LastSent {
    /// Without its time, which is not known here.
    pub(crate) fn new(request: &Request<Bytes>, answer: Answer<'_>) -> Self {
        let headers = request.headers().iter().take(HEADERS).map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let shown = if value.is_sensitive() { REDACTED } else { clip(&text, HEADER) };
            (clip(name.as_str(), HEADER).to_owned(), shown.to_owned())
        });
        let (status, error) = match answer {
            Answer::Saved(status) => (Some(status), None),
            Answer::Failed(error @ Error::Response(answer)) => {
                (Some(answer.status), Some(format!("{error:#}")))
            }
            Answer::Failed(error) => (None, Some(format!("{error:#}"))),
            Answer::NotAwaited => (None, Some("the answer was not waited for".to_owned())),
        };
        let body = String::from_utf8_lossy(request.body());
        Self {
            version: Version,
            sent_unix_ns: Stamp::new(SystemTime::UNIX_EPOCH),
            url: clip(&request.uri().to_string(), URL).to_owned(),
            headers: headers.collect(),
            body: clip(&body, BODY).to_owned(),
            body_bytes: request.body().len() as u64,
            status: status.map(|status| status.as_u16()),
            error: error.map(|error| clip(&error, ERROR).to_owned()),
        }
    }
}

/// # Inspect
impl LastSent {
    /// When it left, as the wall clock had it when this was stored.
    #[must_use]
    pub fn sent(&self) -> SystemTime {
        self.sent_unix_ns.to_system_time()
    }

    /// Where it went.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its headers, but for those that a transport adds. The token is redacted.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body, JSON, byte for byte; the start of it if it is [not whole](Self::is_whole).
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Whether the whole body is here. One that is too long is cut.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.body.len() as u64 == self.body_bytes
    }

    /// How many bytes the body had.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// The status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What went wrong, on one line; `None` if the API took it.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

/// The request as it stood on the wire, and below it what came back.
impl fmt::Display for LastSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "POST {}", self.url)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        writeln!(f, "\n{}", self.body)?;
        if !self.is_whole() {
            writeln!(f, "[the first of {} bytes]", self.body_bytes)?;
        }
        f.write_str("\n")?;
        match (self.status, &self.error) {
            (_, Some(error)) => f.write_str(error),
            (Some(status), None) => write!(f, "the Usage API answered {status}"),
            (None, None) => f.write_str("the answer is not known"),
        }
    }
}

/// As much of a text as takes `limit` bytes as a JSON string.
fn clip(text: &str, limit: usize) -> &str {
    let mut left = limit;
    let size = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    };
    let cut = text.char_indices().find(|(_, c)| match left.checked_sub(size(*c)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    cut.map_or(text, |(at, _)| &text[..at])
}

/// The version of the format, which is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(1)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            1 => Ok(Self),
            found => Err(serde::de::Error::custom(format_args!(
                "the report has version {found}, and this program knows version 1"
            ))),
        }
    }
}
