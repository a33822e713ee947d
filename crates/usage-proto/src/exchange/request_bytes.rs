//! A request as the bytes that leave.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};

/// The head and the body in one piece: written in two, the end of the body could wait on the way
/// until the other side has acknowledged the head (Nagle's algorithm).
pub(super) fn encode(request: &Request<Bytes>) -> Vec<u8> {
    let (uri, headers, body) = (request.uri(), request.headers(), request.body());
    let length = body.len().to_string();
    let authority = uri.authority().map_or("", |authority| {
        let text = authority.as_str();
        // A hand-made URI may have user information, which is nothing for a header.
        text.rsplit_once('@').map_or(text, |(_, host)| host)
    });

    let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let rest = uri.path().len() + uri.query().map_or(0, str::len) + authority.len() + 100;
    let mut out = Vec::with_capacity(lines.sum::<usize>() + rest + body.len());
    out.extend_from_slice(request.method().as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(uri.path().as_bytes());
    if let Some(query) = uri.query() {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    if !headers.contains_key(HOST) {
        line(&mut out, HOST.as_str(), authority.as_bytes());
    }
    line(&mut out, CONTENT_LENGTH.as_str(), length.as_bytes());
    for (name, value) in headers {
        // The body is here as a whole: it has its length, and nothing else delimits it.
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
            line(&mut out, name.as_str(), value.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
