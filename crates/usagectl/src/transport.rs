//! Which HTTP library carries a request. Only this file knows their names.

use bytes::Bytes;
use clap::ValueEnum;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use usage_proto::{Api, Deadlines, TransportError};

use crate::failure::Failure;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportName {
    /// Blocking, over ureq
    #[default]
    Ureq,
}

/// A client, ready to send.
pub(crate) enum Transport {
    Ureq(usage_ureq::Client),
}

impl TransportName {
    /// Makes the client. It opens no connection yet.
    pub(crate) fn client(self, api: Api, deadlines: Deadlines) -> Result<Transport, Failure> {
        match self {
            Self::Ureq => usage_ureq::Client::configured(api, deadlines, |builder| builder)
                .map(Transport::Ureq)
                .map_err(|error| Failure::Build {
                    message: error.to_string(),
                    field: None,
                    source: None,
                }),
        }
    }

    /// The headers in the order in which the library writes them, with those that it adds.
    pub(crate) fn headers(self, request: &Request<Bytes>) -> Vec<(HeaderName, HeaderValue)> {
        let length = (CONTENT_LENGTH, HeaderValue::from(request.body().len()));
        let host = host(request.uri()).map(|host| (HOST, host));
        let given = request.headers().iter().map(|(name, value)| (name.clone(), value.clone()));
        match self {
            // `usage-ureq` puts secrets in front, and ureq its own headers before the rest.
            Self::Ureq => {
                let (secret, rest): (Vec<_>, Vec<_>) =
                    given.partition(|(_, value)| value.is_sensitive());
                secret.into_iter().chain([length]).chain(host).chain(rest).collect()
            }
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ureq => "ureq",
        }
    }
}

impl Transport {
    /// Sends a request and waits for the answer, whatever its status.
    pub(crate) fn execute(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        match self {
            Self::Ureq(client) => client.execute(request),
        }
    }
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
