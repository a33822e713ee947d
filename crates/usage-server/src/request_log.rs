use std::fmt;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::refused::Refused;

/// How much of a path is kept, and of a method shown, in bytes. The methods of HTTP and the paths
/// of this API are far below.
const LONGEST_PATH: usize = 256;
const LONGEST_METHOD: usize = 32;

/// One request, for the log. There is never a token in it: a query can hold one, so queries are
/// left out.
///
/// Its `Display` is a line for a log: `POST /api/v1/servers 201 in 3 ms, 84 bytes, "Example Inc."`.
/// Nothing that a client sends can break the line, steer a terminal that shows it, or make it long.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RequestLog {
    /// The method. A client may make one up, of letters, digits and a few signs, at any length; a
    /// long one is clipped in the line.
    pub method: Method,
    /// The path as it was sent, percent-encoding and all, without the query. What is not visible
    /// ASCII is percent-encoded here, and a path of more than 256 bytes is clipped to them and
    /// ends in `...`.
    pub path: String,
    /// The answer; `None` if the client went away before there was one. A report that was on its
    /// way to the database may be stored all the same.
    pub status: Option<StatusCode>,
    /// From the end of the request's head to the answer.
    pub duration: Duration,
    /// How many bytes of the request's body were read.
    pub body_bytes: u64,
    /// Whose token it was; `None` without a token that is known.
    pub organisation: Option<String>,
    /// What went wrong inside, with 500 and 503.
    pub failure: Option<String>,
    /// Where it came from, which a [proxy](crate::Proxies) may have told; `None` over a socket in the
    /// file system, if nobody says it. The line does not show it: an
    /// address is personal data in many places.
    pub address: Option<IpAddr>,
    /// Why it was refused; `None` for a success, and for what the page for registration says.
    pub refused: Option<Refused>,
}

impl fmt::Display for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A method is made of ASCII (RFC 9110, section 9.1).
        match self.method.as_str().get(..LONGEST_METHOD) {
            Some(method) => write!(f, "{method}...")?,
            None => write!(f, "{}", self.method)?,
        }
        write!(f, " {} ", self.path)?;
        match self.status {
            Some(status) => write!(f, "{}", status.as_u16())?,
            None => f.write_str("client went away")?,
        }
        write!(f, " in {} ms, {} bytes", self.duration.as_millis(), self.body_bytes)?;
        if let Some(organisation) = &self.organisation {
            // Quoted, so that no name can break the line.
            write!(f, ", {organisation:?}")?;
        }
        match &self.failure {
            Some(failure) => write!(f, ": {failure}"),
            None => Ok(()),
        }
    }
}

/// A path as [`RequestLog::path`] holds it.
pub(crate) fn path(sent: &str) -> String {
    let mut path = String::new();
    for byte in sent.bytes() {
        if path.len() >= LONGEST_PATH {
            path.truncate(LONGEST_PATH);
            path.push_str("...");
            break;
        }
        if byte.is_ascii_graphic() {
            path.push(char::from(byte));
        } else {
            // Writing to a String can not fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PATH, path};

    #[test]
    fn a_path_is_visible_ascii_of_bounded_length() {
        let whole = format!("/{}", "a".repeat(LONGEST_PATH - 1));
        for (sent, kept) in [
            ("/api/v1/usage/a%20b", "/api/v1/usage/a%20b".to_owned()),
            ("/\u{9b}31m\u{202e}\u{e9}", "/%C2%9B31m%E2%80%AE%C3%A9".to_owned()),
            ("/\x1b\n \x7f", "/%1B%0A%20%7F".to_owned()),
            (&whole, whole.clone()),
            (&format!("{whole}b"), format!("{whole}...")),
        ] {
            assert_eq!(path(sent), kept);
        }
        // An escape at the very end is clipped like anything else.
        assert!(path(&"\u{9b}".repeat(LONGEST_PATH)).len() <= LONGEST_PATH + 3);
    }
}
