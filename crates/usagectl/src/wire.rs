//! A request as it stands on the wire.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use serde::Serialize;

use crate::transport::TransportName;

/// What takes the place of a token.
pub(crate) const REDACTED: &str = "[redacted]";

/// A request in HTTP/1.1, as a transport writes it.
pub(crate) struct Wire<'a> {
    request: &'a Request<Bytes>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The same for scripts.
#[derive(Debug, Serialize)]
pub(crate) struct WireObject {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl<'a> Wire<'a> {
    /// With secrets shown as they are only if `show_secrets`.
    pub(crate) fn new(
        request: &'a Request<Bytes>,
        transport: TransportName,
        show_secrets: bool,
    ) -> Self {
        let mut headers = transport.headers(request);
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

    pub(crate) fn to_object(&self) -> WireObject {
        let header = |(name, value): &(HeaderName, HeaderValue)| (name.to_string(), text(value));
        WireObject {
            method: self.request.method().to_string(),
            url: self.request.uri().to_string(),
            headers: self.headers.iter().map(header).collect(),
            body: String::from_utf8_lossy(self.request.body()).into_owned(),
        }
    }
}

/// Everything in these headers was checked to be ASCII.
fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
