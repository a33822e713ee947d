//! The way to a connection: direct, through a tunnel, or to a proxy that passes requests on.

use std::io::{self, ErrorKind::ConnectionReset};
use std::{net::SocketAddr, net::ToSocketAddrs, sync::Arc, thread, vec};

use hyper::http::{Uri, uri::Scheme};
use hyper_util::client::legacy::connect::{HttpConnector, dns::Name, proxy::Tunnel};
use socket2::{SockRef, Socket};
use tokio::sync::{Semaphore, oneshot};
use tower::{ServiceExt, service_fn};
use usage_proto::{Proxy, TransportError, causes};

use crate::{pool::Pool, wire::Stream};

type Connected = Result<(Box<dyn Stream>, Socket), TransportError>;

impl Pool {
    /// A connection to `target`, and its socket.
    pub(crate) async fn connect(self: Arc<Self>, target: Uri) -> Connected {
        let https = target.scheme() == Some(&Scheme::HTTPS);
        if https && cfg!(not(feature = "tls")) {
            return Err(TransportError::tls_not_built_in(env!("CARGO_PKG_NAME")));
        }
        let mut http = HttpConnector::new_with_resolver(service_fn(look_up));
        http.enforce_http(false);
        http.set_nodelay(true);
        // Shared out among addresses. More than there is, so that it never runs out by itself.
        http.set_connect_timeout(Some(self.deadlines.connect.saturating_mul(9) / 8));
        let connected = match &self.proxy {
            Some(proxy) if https => {
                let tunnel = Tunnel::new(proxy.uri().clone(), http);
                let authorized = proxy.authorization().cloned().into_iter();
                let tunnel = authorized.fold(tunnel, Tunnel::with_auth).oneshot(target.clone());
                tunnel.await.map_err(TransportError::connect)
            }
            proxy => {
                let to = proxy.as_ref().map_or(&target, Proxy::uri).clone();
                http.oneshot(to).await.map_err(|error| {
                    // Connected, and reset before anybody has looked, which TCP tells as one event.
                    let is_reset = |error: &io::Error| error.kind() == ConnectionReset;
                    let is_reset = causes(&error).filter_map(|it| it.downcast_ref()).any(is_reset);
                    match is_reset {
                        true if https => TransportError::tls(error),
                        true => TransportError::interrupted(error).not_sent(),
                        false => TransportError::connect(error),
                    }
                })
            }
        };
        let stream = connected?.into_inner();
        let socket = SockRef::from(&stream).try_clone().map_err(TransportError::connect)?;
        #[cfg(feature = "tls")]
        if https {
            let host = target.host().unwrap_or_default();
            return Ok((Box::new(crate::tls::handshake(&self.tls, host, stream).await?), socket));
        }
        Ok((Box::new(stream), socket))
    }
}

/// Names that are looked up at once: as many threads wait for a name server that is silent.
static LOOKUPS: Semaphore = Semaphore::const_new(8);

async fn look_up(name: Name) -> io::Result<vec::IntoIter<SocketAddr>> {
    let place = LOOKUPS.acquire().await.map_err(io::Error::other)?;
    on_a_thread(move || ((name.as_str(), 0).to_socket_addrs(), place).0).await?
}

/// Does `work`, which may block for as long as it likes, on a thread of its own.
///
/// Not on the runtime's pool for what blocks: a runtime that is shut down waits for that, and a
/// name server that is silent may hold up a look-up for minutes.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new().name("usage".to_owned()).spawn(|| _ = tell.send(work()))?;
    told.await.map_err(io::Error::other)
}
