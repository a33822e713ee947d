//! A request as text: as it stands on the wire, and as an object.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue, Request, Uri};
use serde::Serialize;

/// What takes the place of a token.
pub(crate) const REDACTED: &str = "[redacted]";

/// A request in HTTP/1.1, as `usage-ureq` writes it.
pub(crate) struct RequestText<'a> {
    request: &'a Request<Bytes>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The same for scripts.
#[derive(Debug, Serialize)]
pub(crate) struct RequestObject {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl<'a> RequestText<'a> {
    /// With secrets shown as they are only if `show_secrets`.
    pub(crate) fn new(request: &'a Request<Bytes>, show_secrets: bool) -> Self {
        let mut headers = headers(request);
        if !show_secrets {
            for (_, value) in headers.iter_mut().filter(|(_, value)| value.is_sensitive()) {
                *value = HeaderValue::from_static(REDACTED);
            }
        }
        Self { request, headers }
    }

    /// The request line and the headers, without line breaks.
    pub(crate) fn head(&self) -> impl Iterator<Item = String> {
        let target = self.request.uri().path_and_query().map_or("/", |target| target.as_str());
        let line = format!("{} {target} HTTP/1.1", self.request.method());
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {}", text(value)));
        std::iter::once(line).chain(headers)
    }

    /// Every byte of it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in self.head() {
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.request.body());
        bytes
    }

    pub(crate) fn to_object(&self) -> RequestObject {
        let header = |(name, value): &(HeaderName, HeaderValue)| (name.to_string(), text(value));
        RequestObject {
            method: self.request.method().to_string(),
            url: self.request.uri().to_string(),
            headers: self.headers.iter().map(header).collect(),
            body: String::from_utf8_lossy(self.request.body()).into_owned(),
        }
    }
}

/// The headers in the order in which they are written: ureq puts the host in front, and `usage-ureq`
/// the length at the end.
fn headers(request: &Request<Bytes>) -> Vec<(HeaderName, HeaderValue)> {
    let length = (CONTENT_LENGTH, HeaderValue::from(request.body().len()));
    let host = host(request.uri()).map(|host| (HOST, host));
    let given = request.headers().iter().map(|(name, value)| (name.clone(), value.clone()));
    host.into_iter().chain(given).chain([length]).collect()
}

/// The host, and the port unless it is the scheme's own.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let host = uri.host()?;
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let text = match uri.port_u16() {
        Some(port) if port != default => format!("{host}:{port}"),
        _ => host.to_owned(),
    };
    HeaderValue::from_str(&text).ok()
}

/// Everything in these headers was checked to be ASCII.
fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
