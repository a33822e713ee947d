//! The way to a connection: direct, through a tunnel, or to a proxy that passes requests on.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;
use usage_proto::Deadlines;

use crate::deadline::{Deadline, SharedTimer};
use crate::error::{BoxError, ConnectError};
use crate::slots::Slots;
#[cfg(feature = "tls")]
use crate::tls::Tls;
use crate::wire::{BoxStream, Wire};

/// Connects to a server within the connect deadline.
#[derive(Clone)]
pub(crate) struct Connector {
    shared: Arc<Shared>,
}

struct Shared {
    slots: Slots,
    http: HttpConnector,
    route: Option<Route>,
    #[cfg(feature = "tls")]
    tls: Tls,
    deadlines: Deadlines,
    timer: SharedTimer,
}

/// The way through a proxy.
pub(crate) struct Route {
    /// `http://host:port`.
    pub(crate) proxy: Uri,
    /// What a tunnel is asked for with.
    pub(crate) authorization: Option<HeaderValue>,
}

impl Connector {
    pub(crate) fn new(
        deadlines: Deadlines,
        timer: SharedTimer,
        route: Option<Route>,
        #[cfg(feature = "tls")] tls: Tls,
    ) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        // Shared out among the addresses of a name, so that one that is silent does not use it up.
        http.set_connect_timeout(Some(deadlines.connect));
        let shared = Shared {
            slots: Slots::new(),
            http,
            route,
            #[cfg(feature = "tls")]
            tls,
            deadlines,
            timer,
        };
        Self { shared: Arc::new(shared) }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let after = shared.deadlines.connect;
            let mut deadline = Deadline::start(&shared.timer, after);
            let connected = deadline.limit(shared.connect(target)).await;
            connected.unwrap_or_else(|| Err(shared.on_the_way(ConnectError::Deadline(after))))
        })
    }
}

impl Shared {
    async fn connect(&self, target: Uri) -> Result<TokioIo<Wire>, ConnectError> {
        let https = match target.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            #[cfg(feature = "tls")]
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            #[cfg(not(feature = "tls"))]
            Some(scheme) if *scheme == Scheme::HTTPS => return Err(ConnectError::NoTls),
            _ => return Err(ConnectError::Scheme),
        };
        let slot = self.slots.take(&self.timer, self.deadlines.connect).await;
        let slot = slot.ok_or(ConnectError::Unneeded)?;
        let direct = |error| self.on_the_way(ConnectError::direct(error, https));
        let stream = match &self.route {
            None => reach(self.http.clone(), target.clone()).await.map_err(direct)?,
            Some(route) if https => {
                let tunnelled = reach(self.tunnel(route), target.clone()).await;
                tunnelled.map_err(|error| self.on_the_way(ConnectError::Tcp(error)))?
            }
            Some(route) => reach(self.http.clone(), route.proxy.clone()).await.map_err(direct)?,
        };
        let stream: BoxStream = match https {
            #[cfg(feature = "tls")]
            true => Box::pin(self.tls.connect(target.host().unwrap_or_default(), stream).await?),
            _ => Box::pin(stream),
        };
        let proxied = self.route.is_some() && !https;
        let patience = self.deadlines.total;
        let timer = Arc::clone(&self.timer);
        Ok(TokioIo::new(Wire::new(stream, proxied, timer, patience, slot)))
    }

    /// `error`, with the proxy in front if there is one. Its credentials are not told.
    fn on_the_way(&self, error: ConnectError) -> ConnectError {
        match self.route.as_ref().and_then(|route| route.proxy.authority()) {
            Some(proxy) => {
                ConnectError::ThroughProxy { proxy: proxy.to_string(), source: error.into() }
            }
            None => error,
        }
    }

    fn tunnel(&self, route: &Route) -> Tunnel<HttpConnector> {
        let tunnel = Tunnel::new(route.proxy.clone(), self.http.clone());
        match &route.authorization {
            Some(authorization) => tunnel.with_auth(authorization.clone()),
            None => tunnel,
        }
    }
}

/// Connects by a connector of hyper-util's.
async fn reach<C>(mut connector: C, target: Uri) -> Result<TcpStream, BoxError>
where
    C: Service<Uri, Response = TokioIo<TcpStream>, Error: Into<BoxError>>,
{
    poll_fn(|cx| connector.poll_ready(cx)).await.map_err(Into::into)?;
    let stream = connector.call(target).await.map_err(Into::into)?;
    Ok(stream.into_inner())
}
