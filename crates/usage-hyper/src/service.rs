//! The ready-made service.

use std::{pin::Pin, sync::Arc, sync::atomic::Ordering::SeqCst, task::Context, task::Poll};

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{HeaderValue, Request, Response, Uri, Version, uri::PathAndQuery};
use http_body_util::Full;
use hyper::ext::on_informational;
use tokio::runtime::Handle;
use tower::Service;
use usage_proto::{Deadlines, Incomplete, Proxy, TransportError};

use crate::wire::{FLOOD, INTERIM};
use crate::{client::Answer, deadline::Deadline, pool::Pool, pool::Target};

/// The service of a ready-made [`Client`](crate::Client): a pool of connections by hyper, with the
/// proxy that was chosen and with TLS.
///
/// It has the deadlines of its client and the limits of an answer. Its answers are as
/// [`Client::execute`](crate::Client::execute) hands them over, and its errors know whether the
/// request may have been sent. It is always ready: a call beyond the last connection waits in its
/// future.
#[derive(Clone, Debug)]
pub struct HttpService(pub(crate) Arc<Pool>);

impl Service<Request<Full<Bytes>>> for HttpService {
    type Response = Response<Full<Bytes>>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, TransportError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let pool = Arc::clone(&self.0);
        Box::pin(async move { Ok(exchange(&pool, request).await?.map(Full::new)) })
    }
}

async fn exchange(pool: &Arc<Pool>, mut request: Request<Full<Bytes>>) -> Answer {
    let Deadlines { total, connect, .. } = pool.deadlines;
    let connect = Deadline::new(connect.min(total), TransportError::connect_deadline);
    let total = Deadline::new(total, TransportError::total_deadline);
    let via = |error| pool.proxy.iter().fold(error, TransportError::through);
    let target = prepare(pool.proxy.as_ref(), &mut request)?;
    loop {
        let leased = connect.limit(pool.line(&target)).await.map_err(via)?;
        let (mut line, _turn) = leased.map_err(via)?;
        let watch = Arc::clone(&line.watch);
        on_informational(&mut request, move |_| _ = watch.interim.fetch_add(1, SeqCst));
        let answer = total.limit(line.sender.try_send_request(request)).await;
        let sent = || line.watch.begun.load(SeqCst);
        let known = |error: TransportError| if sent() { error } else { error.not_sent() };
        let mut error = match answer.map_err(known)? {
            Ok(response) if line.watch.interim.load(SeqCst) <= INTERIM => {
                let answer = total.read(response, pool.limit).await?;
                if answer.extensions().get::<Incomplete>().is_none() {
                    pool.give_back(line);
                }
                return Ok(answer);
            }
            Ok(_) => return Err(TransportError::protocol(FLOOD)),
            Err(error) => error,
        };
        request = match (error.take_message(), error.into_error()) {
            // The server has closed the connection meanwhile. Each time there are fewer of these.
            (Some(unsent), _) if line.since.is_some() => unsent,
            (_, error) if error.is_parse() => return Err(known(TransportError::protocol(error))),
            (_, error) => {
                let fault = line.watch.fault.get().map(|fault| TransportError::protocol(*fault));
                return Err(known(fault.unwrap_or_else(|| TransportError::interrupted(error))));
            }
        };
    }
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
    request.headers_mut().entry(HOST).or_insert(host);
    if let (Some(proxy), false) = (proxy, https) {
        let authorization = proxy.authorization().cloned();
        request.headers_mut().extend(authorization.map(|it| (PROXY_AUTHORIZATION, it)));
    } else {
        // In a tunnel the proxy sees nothing, and the server must not see the proxy's password.
        *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    }
    *request.version_mut() = Version::HTTP_11;
    Ok((Handle::try_current().map_err(|_| TransportError::no_runtime())?.id(), target))
}
