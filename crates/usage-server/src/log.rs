use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};

/// One request, for the log. There is never a token in it: a query can hold one, so queries are
/// left out.
///
/// Its `Display` is a line for a log: `POST /api/v1/servers 201 in 3 ms, 84 bytes, "Example Inc."`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RequestLog {
    /// The method.
    pub method: Method,
    /// The path as it was sent, percent-encoding and all, without the query.
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
}

impl fmt::Display for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.method, self.path)?;
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
