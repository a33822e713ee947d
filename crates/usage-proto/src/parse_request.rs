//! The other direction: what a client wrote, read back.

use bytes::Bytes;
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::excerpt;
use crate::payload::{Forget, Server, Stats, Usage, path};

/// A built-in payload as it came in a request.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// `POST /api/v1/servers`.
    Server(Server),
    /// `POST /api/v1/stats/{product}`.
    Stats(Stats),
    /// `POST /api/v1/usage/{product}`.
    Usage(Usage),
    /// `POST /api/v1/forget/{product}`.
    Forget(Forget),
}

/// Reads the payload back from a request: the inverse of [`Api::build_request`](crate::Api::build_request) for
/// the built-in payloads.
///
/// The last segments of the path decide, so a prefix of the base URL does not matter. `null` stands
/// for an empty list, map or text, since deployed senders write it; fields that are not known are
/// passed over.
///
/// ```
/// use usage_proto::{Api, BaseUrl, Payload, Usage, parse_request};
///
/// let usage = Usage::new("a/b");
/// let request = Api::new(BaseUrl::STAGING).build_request(&usage)?;
/// assert_eq!(parse_request(&request)?, Payload::Usage(usage));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ParseRequestError`] says which part of the request is at fault.
pub fn parse_request(request: &Request<Bytes>) -> Result<Payload, ParseRequestError> {
    let route = Route::of(request.uri().path())?;
    if request.method() != Method::POST {
        return Err(ParseRequestError::Method { method: request.method().clone() });
    }
    let body = request.body();
    Ok(match route {
        Route::Servers => Payload::Server(json(body)?),
        Route::Stats(product) => Payload::Stats(Stats { product, ..json(body)? }),
        Route::Usage(product) => Payload::Usage(Usage { product, ..json(body)? }),
        Route::Forget(product) => Payload::Forget(Forget { product, ..json(body)? }),
    })
}

enum Route {
    Servers,
    Stats(String),
    Usage(String),
    Forget(String),
}

impl Route {
    fn of(path: &str) -> Result<Self, ParseRequestError> {
        let unknown = || ParseRequestError::UnknownRoute { path: excerpt::line(path) };
        let segments: Vec<&str> = path.split('/').collect();
        match segments[..] {
            [.., "api", "v1", path::SERVERS] => Ok(Self::Servers),
            [.., "api", "v1", path::STATS, product] => Ok(Self::Stats(decode(product)?)),
            [.., "api", "v1", path::USAGE, product] => Ok(Self::Usage(decode(product)?)),
            [.., "api", "v1", path::FORGET, product] => Ok(Self::Forget(decode(product)?)),
            _ => Err(unknown()),
        }
    }
}

fn decode(segment: &str) -> Result<String, ParseRequestError> {
    match percent_decode_str(segment).decode_utf8() {
        Ok(text) if !matches!(&*text, "" | "." | "..") => Ok(text.into_owned()),
        _ => Err(ParseRequestError::Segment { segment: excerpt::line(segment) }),
    }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ParseRequestError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        // The position is told apart from the message.
        let position = format!(" at line {} column {}", error.line(), error.column());
        ParseRequestError::Body {
            message: excerpt::line(text.strip_suffix(&position).unwrap_or(&text)),
            line: error.line(),
            column: error.column(),
        }
    })
}

/// A request that is none of the API's calls, or whose body is not what the call takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseRequestError {
    /// Every call is a `POST`.
    #[error("the method is {method}: every call of the API is a POST")]
    #[non_exhaustive]
    Method {
        /// The method that came.
        method: Method,
    },
    /// The path is none of the API's.
    #[error("there is no call at `{path}`")]
    #[non_exhaustive]
    UnknownRoute {
        /// The path, clipped.
        path: String,
    },
    /// The product in the path is empty, `.` or `..`, or not UTF-8 once its percent-encoding is
    /// undone.
    #[error("`{segment}` in the path is not the name of a product")]
    #[non_exhaustive]
    Segment {
        /// The segment as it stood, clipped.
        segment: String,
    },
    /// The body is not JSON, or JSON of another shape.
    #[error("{message}, at line {line}, column {column}")]
    #[non_exhaustive]
    Body {
        /// What is wrong.
        message: String,
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1; 0 if the line was just begun.
        column: usize,
    },
}
