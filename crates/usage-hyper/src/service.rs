//! The ready-made service.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, Builder, ResponseFuture};
use tower_service::Service;
use usage_proto::Proxy;

use crate::connector::Connector;

/// The service of a ready-made [`Client`](crate::Client): the client of hyper-util, with the proxy
/// that was chosen and with TLS.
///
/// It has no deadline but the connect deadline, and no body limit: these are the client's.
#[derive(Clone)]
pub struct HttpService {
    client: legacy::Client<Connector, Full<Bytes>>,
    proxy: Option<Proxy>,
    /// What a proxy that passes requests on is shown.
    authorization: Option<HeaderValue>,
}

impl HttpService {
    pub(crate) fn new(
        builder: &Builder,
        connector: Connector,
        proxy: Option<Proxy>,
        authorization: Option<HeaderValue>,
    ) -> Self {
        Self { client: builder.build(connector), proxy, authorization }
    }
}

impl Service<Request<Full<Bytes>>> for HttpService {
    type Response = Response<Incoming>;
    type Error = legacy::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), legacy::Error>> {
        self.client.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Full<Bytes>>) -> ResponseFuture {
        // In a tunnel the proxy sees nothing, and the server must not see the proxy's password.
        if let Some(authorization) = &self.authorization
            && request.uri().scheme() == Some(&Scheme::HTTP)
        {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        self.client.call(request)
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}
