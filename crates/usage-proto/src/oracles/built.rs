//! What comes of a payload.

use bytes::Bytes;
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;

use super::shown::{check_error, is_clean};
use crate::api::Api;
use crate::base_url::BaseUrl;
use crate::error::BuildError;
use crate::parse_request::{ParseRequestError, Payload, parse_request};
use crate::saveable::Saveable;

/// How many levels a reader of JSON goes down.
const DEEPEST: usize = 127;

/// Builds the request of a payload, and hands it over unless the payload is refused.
///
/// # Panics
///
/// If a segment of the path is not what the payload says, if the body is not JSON or above a limit, or
/// if a refusal is more than one clean line.
pub fn check_request<P: Saveable + ?Sized>(payload: &P) -> Option<Request<Bytes>> {
    let request = match build(payload, usize::MAX) {
        Ok(request) => request,
        Err(error) => {
            assert!(is_clean(&error.to_string()), "more than one clean line: {error}");
            check_error(&error, &[]);
            return None;
        }
    };
    assert_eq!(request.method(), Method::POST);
    check_path(payload, request.uri().path());
    let body = request.body();
    if depth(body) <= DEEPEST {
        let read = serde_json::from_slice::<IgnoredAny>(body);
        assert!(read.is_ok(), "the body is no JSON: {}", String::from_utf8_lossy(body));
    }
    let length = body.len();
    for limit in [0, length / 2, length.saturating_sub(1), length, length + 1] {
        check_limit(payload, body, limit);
    }
    Some(request)
}

/// A payload of the protocol's own is read back as it went.
///
/// # Panics
///
/// If it is not, or if [`check_request`] finds something.
#[expect(clippy::must_use_candidate, reason = "it is called for its panics")]
pub fn check_payload(payload: &Payload) -> Option<Request<Bytes>> {
    let request = match payload {
        Payload::Server(server) => check_request(server),
        Payload::Stats(stats) => check_request(stats),
        Payload::Usage(usage) => check_request(usage),
        Payload::Forget(forget) => check_request(forget),
    }?;
    let read = parse_request(&request);
    if depth(request.body()) > DEEPEST {
        let refused = matches!(read, Err(ParseRequestError::Body { .. }));
        assert!(refused, "nested too deeply to be read, but: {read:?}");
    } else {
        assert_eq!(read.as_ref(), Ok(payload), "what was built is read back");
    }
    Some(request)
}

/// A body is never above a limit, is refused exactly where it would be, and does not change with it.
/// `body` is that of the payload without a limit.
///
/// # Panics
///
/// If one of that is broken.
pub fn check_limit<P: Saveable + ?Sized>(payload: &P, body: &Bytes, limit: usize) {
    match build(payload, limit) {
        Ok(built) => {
            assert!(built.body().len() <= limit, "above the limit of {limit}");
            assert_eq!(built.body(), body, "the limit of {limit} changed the body");
        }
        Err(error) => {
            let length = body.len();
            let named = matches!(error, BuildError::TooLarge { limit: told, .. } if told == limit);
            assert!(named && limit < length, "{length} bytes, limit {limit}: {error:?}");
        }
    }
}

fn build<P: Saveable + ?Sized>(payload: &P, limit: usize) -> Result<Request<Bytes>, BuildError> {
    Api::new(BaseUrl::STAGING).with_request_limit(limit).build_request(payload)
}

/// Each segment is one, and says what the payload says.
fn check_path<P: Saveable + ?Sized>(payload: &P, path: &str) {
    let expected = payload.segments();
    let mut found = path.strip_prefix("/api/v1").unwrap().split('/').skip(1);
    for segment in expected {
        let decoded = found.next().map(|text| percent_decode_str(text).decode_utf8().unwrap());
        assert_eq!(decoded.as_deref(), Some(segment.as_ref()), "the path is {path}");
    }
    assert_eq!(found.next(), None, "the path is {path}");
}

/// How deep a body is nested.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth -= 1,
            _ => {}
        }
    }
    deepest
}
