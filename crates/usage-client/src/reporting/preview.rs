use std::error::Error;
use std::{fmt, io};

use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use usage_proto::BuildError;

/// A request that would go now, with nothing sent: what leaves the machine, to be read.
///
/// Shown as text it is the request as it stands on the wire, with `[redacted]` for what is secret.
#[derive(Clone)]
pub struct Preview {
    request: Request<Bytes>,
}

impl Preview {
    pub(super) fn new(request: Request<Bytes>) -> Self {
        Self { request }
    }

    /// Where it would go.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        self.request.uri()
    }

    /// The headers. The token is marked sensitive, and is there in full.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The body, JSON, byte for byte.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.request.body()
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.request.uri();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        writeln!(f, "{} {path} HTTP/1.1", self.request.method())?;
        writeln!(f, "host: {}", uri.authority().map_or("", |authority| authority.as_str()))?;
        for (name, value) in self.request.headers() {
            let shown = if value.is_sensitive() {
                "[redacted]".into()
            } else {
                String::from_utf8_lossy(value.as_bytes())
            };
            writeln!(f, "{name}: {shown}")?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(self.request.body()))
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview").field("request", &self.request).finish()
    }
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreviewError {
    /// The application's collector has failed.
    #[error("usage could not be collected")]
    Collect(#[source] Box<dyn Error + Send + Sync>),
    /// The numbers cannot be sent.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The system gives no thread to collect on.
    #[error("the system gives no thread to collect usage on: {0}")]
    Thread(io::Error),
}
