//! The ready-made service.

use std::sync::{Arc, atomic::Ordering::SeqCst};
use std::{fmt, pin::Pin, pin::pin, task::Context, task::Poll, time::Instant};

use http_body_util::Full;
use hyper::http::{HeaderValue, Request, Response, Uri, Version, header, uri::PathAndQuery};
use hyper::{body::Bytes, ext::on_informational};
use tokio::runtime::Handle;
use tower::Service;
use usage_proto::{Collector, Deadlines, Incomplete, Proxy, TransportError};

use crate::{deadline::Deadline, pool::Pool, pool::Target};

/// The service of a ready-made [`Client`](crate::Client): a pool of connections by hyper, with the
/// proxy that was chosen and with TLS.
///
/// It has the deadlines of its client and the limits of an answer. Its answers are as
/// [`Client::execute`](crate::Client::execute) hands them over, and its errors know whether the
/// request may have been sent. It is always ready: a call beyond the last connection waits in its
/// future.
#[derive(Clone)]
pub struct HttpService(pub(crate) Arc<Pool>);

type Exchanged = Result<Response<Full<Bytes>>, TransportError>;

impl Service<Request<Full<Bytes>>> for HttpService {
    type Response = Response<Full<Bytes>>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Exchanged> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        // The request in a box: it is large, and moved about.
        Box::pin(exchange(Arc::clone(&self.0), Box::new(request)))
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService").field("proxy", &self.0.proxy).finish_non_exhaustive()
    }
}

async fn exchange(pool: Arc<Pool>, mut request: Box<Request<Full<Bytes>>>) -> Exchanged {
    let Deadlines { total, connect, .. } = pool.deadlines;
    let connect = Deadline::new(connect.min(total), TransportError::connect_deadline);
    let total = Deadline::new(total, TransportError::total_deadline);
    let via = |error| pool.proxy.iter().fold(error, TransportError::through);
    let target = prepare(pool.proxy.as_ref(), &mut request)?;
    let _turn = connect.limit(pool.turns.acquire()).await.map_err(via)?;
    let (response, mut line) = loop {
        let line = connect.limit(pin!(pool.line(&target))).await;
        let mut line = line.map_err(via)?.map_err(via)?;
        let watch = Arc::clone(&line.watch);
        on_informational(&mut request, move |_| _ = watch.interim.fetch_add(1, SeqCst));
        let answer = total.limit(pin!(line.sender.try_send_request(*request))).await;
        let known =
            |error| if line.closed_unsent() { TransportError::not_sent(error) } else { error };
        let is_flooded = line.watch.interim.load(SeqCst) > Collector::MAX_INTERIM;
        let mut error = match answer.map_err(known)? {
            Ok(_) if is_flooded => return Err(TransportError::too_many_interim()),
            Ok(response) => break (response, line),
            Err(error) => error,
        };
        request = match (error.take_message(), error.into_error()) {
            // The server has closed the connection meanwhile. Each time there are fewer of these.
            (Some(unsent), _) if line.since.is_some() => unsent.into(),
            (_, error) if error.is_parse() => return Err(known(TransportError::protocol(error))),
            (_, error) => {
                let fault = line.watch.fault.get().map(|fault| fault());
                return Err(known(fault.unwrap_or_else(|| TransportError::interrupted(error))));
            }
        };
    };
    let answer = Box::pin(total.read(response, pool.limit)).await?;
    // Not if the server has answered early: the rest of the request is still to be read.
    if answer.extensions().get::<Incomplete>().is_none() && line.watch.flushed.load(SeqCst) {
        line.since = Some(Instant::now());
        pool.idle().push_back(line);
    }
    Ok(answer.map(Full::new))
}

/// Puts a request into the form that goes over the wire: for a proxy that passes it on with its whole
/// URI (RFC 9112, section 3.2).
fn prepare<B>(proxy: Option<&Proxy>, request: &mut Request<B>) -> Result<Target, TransportError> {
    let none = || TransportError::other("no http or https URI").not_sent().not_retryable();
    let mut parts = request.uri().clone().into_parts();
    let path = parts.path_and_query.replace(PathAndQuery::from_static("/"));
    let target = Uri::from_parts(parts).map_err(|_| none())?;
    let scheme = target.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
    let https = scheme.ok_or_else(none)? == "https";
    let host = target.authority().and_then(|it| it.as_str().rsplit('@').next());
    let host = HeaderValue::try_from(host.unwrap_or_default()).map_err(|_| none())?;
    request.headers_mut().entry(header::HOST).or_insert(host);
    if let (Some(proxy), false) = (proxy, https) {
        let authorization = proxy.authorization().cloned();
        request.headers_mut().extend(authorization.map(|it| (header::PROXY_AUTHORIZATION, it)));
    } else {
        // In a tunnel the proxy sees nothing, and the server must not see the proxy's password.
        *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    }
    *request.version_mut() = Version::HTTP_11;
    Ok((Handle::try_current().map_err(|_| TransportError::no_runtime())?.id(), target))
}
