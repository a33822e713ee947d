//! The client.

use std::{fmt, pin::Pin, sync::Arc, sync::Mutex, task::Context, task::Poll, time::Duration};

use http_body_util::Full;
use hyper::{Request, Response, body::Body, body::Bytes};
use tokio::sync::Semaphore;
use tower::{BoxError, Service, ServiceExt};
use usage_proto::{Api, Deadlines, InvalidProxy, Saveable, Saving, TransportError, choose_proxy};

use crate::{deadline::Deadline, pool::Pool, service::HttpService};

/// An async client of a Usage API.
///
/// Clones share one pool of connections. A client can be used from many tasks at once, and from
/// several runtimes at once.
///
/// `S` is what carries a request: the ready-made [`HttpService`], with or without layers around it
/// (see [`map_service`](Self::map_service)), or a service of the application's own (see
/// [`with_service`](Self::with_service)).
#[derive(Clone, Debug)]
pub struct Client<S = HttpService> {
    api: Api,
    service: S,
    total: Duration,
}

/// # Construct
impl Client {
    /// A client with the default [`Deadlines`] that goes through the proxy that the environment
    /// names, if any (see [`choose_proxy`]).
    ///
    /// No connection is made, and no certificates are read: a host without any fails at the first
    /// save, and only for `https`. It needs a tokio runtime with its IO and time drivers on, but
    /// not before the first save.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] if the environment names a proxy that cannot be used.
    pub fn new(api: Api) -> Result<Self, InvalidProxy> {
        Self::configured(api, Deadlines::new(), Config::new())
    }

    /// A client with other deadlines and settings.
    ///
    /// ```
    /// use std::time::Duration;
    /// use usage_hyper::{Client, Config};
    /// use usage_proto::{Api, BaseUrl, Deadlines};
    ///
    /// let deadlines = Deadlines::new().total(Duration::from_secs(10));
    /// let client = Client::configured(Api::new(BaseUrl::STAGING), deadlines, Config::new())?;
    /// # Ok::<(), usage_proto::InvalidProxy>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] if the environment names a proxy that cannot be used.
    #[cfg_attr(not(feature = "tls"), expect(clippy::needless_pass_by_value, reason = "for TLS"))]
    pub fn configured(api: Api, within: Deadlines, config: Config) -> Result<Self, InvalidProxy> {
        let connections = config.max_connections.map_or(64, |connections| connections.clamp(1, 64));
        let pool = Pool {
            proxy: choose_proxy(api.base_url(), |name| std::env::var_os(name))?,
            #[cfg(feature = "tls")]
            tls: crate::tls::Tls::new_with(config.tls),
            deadlines: within,
            limit: api.response_limit(),
            turns: Semaphore::new(connections),
            places: Arc::new(Semaphore::new(connections)),
            idle: Mutex::default(),
            idle_timeout: config.idle_timeout.unwrap_or(Duration::from_secs(90)),
        };
        // The deadlines are the service's.
        Ok(Self { api, service: HttpService(Arc::new(pool)), total: Duration::MAX })
    }

    /// Puts layers around the ready-made service.
    ///
    /// What [`with_service`](Self::with_service) asks of a service is asked of the whole of them. The
    /// deadlines hold for each call of the ready-made service. All that the layers do together has
    /// one second more than the total deadline: what the service knows of a request that got no
    /// answer comes through before, if no layer wastes that time.
    ///
    /// ```
    /// use tower::ServiceBuilder;
    /// use usage_hyper::Client;
    /// use usage_proto::{Api, BaseUrl};
    ///
    /// let client = Client::new(Api::new(BaseUrl::STAGING))?
    ///     .map_service(|service| ServiceBuilder::new().concurrency_limit(4).service(service));
    /// # Ok::<(), usage_proto::InvalidProxy>(())
    /// ```
    pub fn map_service<T>(self, wrap: impl FnOnce(HttpService) -> T) -> Client<T> {
        // The ready-made service ends first, and says what it knows.
        let total = self.service.0.deadlines.total.saturating_add(Duration::from_secs(1));
        Client { api: self.api, service: wrap(self.service), total }
    }
}

/// # Construct over another service
impl<S> Client<S> {
    /// A client over the application's own service, such as a tower stack around a client that it
    /// has already.
    ///
    /// The total deadline, by tokio's clock, and the limits of head and body hold here too. For each
    /// call a clone of the service is made ready and called within the deadline. There is no connect
    /// deadline, and no proxy is chosen.
    ///
    /// What happens inside the service is the caller's: it must
    ///
    /// - not follow redirects, which would take the token to another host,
    /// - not turn statuses into errors,
    /// - not decompress, or bound what comes of it: the limit counts what it hands over,
    /// - not send a request twice unless it has an idempotency key: what an error says of sending it
    ///   says of the last attempt alone.
    ///
    /// Of its errors one is understood: a [`TransportError`], wherever it stands in the chain of
    /// sources. Anything else becomes one of the kind
    /// [`Other`](usage_proto::TransportErrorKind::Other), which counts as sent. A stack that knows
    /// more says so:
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bytes::Bytes;
    /// use http_body_util::Full;
    /// use tower::timeout::error::Elapsed;
    /// use tower::{BoxError, ServiceBuilder, service_fn};
    /// use usage_hyper::Client;
    /// use usage_proto::{Api, BaseUrl, Deadlines, TransportError, TransportErrorKind, Usage};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # let my_service = service_fn(async |_request: http::Request<Full<Bytes>>| {
    /// #     std::future::pending::<Result<http::Response<Full<Bytes>>, BoxError>>().await
    /// # });
    /// let stack = ServiceBuilder::new()
    ///     .map_err(|error: BoxError| match error.is::<Elapsed>() {
    ///         true => TransportError::timeout(error),
    ///         false => TransportError::other(error),
    ///     })
    ///     .timeout(Duration::from_millis(10))
    ///     .service(my_service);
    /// let api = Api::new(BaseUrl::STAGING);
    /// let client = Client::with_service(api, Deadlines::new(), stack);
    /// let Err(usage_proto::Error::Transport(error)) = client.save(&Usage::new("influxdb")).await
    /// else {
    ///     panic!("it never answers");
    /// };
    /// assert_eq!(error.kind(), TransportErrorKind::Timeout);
    /// # });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_service(api: Api, deadlines: Deadlines, service: S) -> Self {
        Self { api, service, total: deadlines.total }
    }

    /// The API that the client was made for.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }
}

/// # Use
impl<S, B> Client<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
    S: Clone + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
{
    /// Sends `payload` and judges the answer.
    ///
    /// The request is built at once, so the future holds no borrow of the payload, and of the
    /// client neither. Nothing is sent before it is polled. Dropping it cancels the request: the
    /// connection closes.
    ///
    /// # Errors
    ///
    /// The future gives [`Error::Build`](usage_proto::Error::Build) if the request could not be
    /// built, [`Error::Transport`](usage_proto::Error::Transport) if there was no answer,
    /// [`Error::Response`](usage_proto::Error::Response) if the answer is not a success.
    pub fn save<P: Saveable + ?Sized>(&self, payload: &P) -> Saving<Execute> {
        Saving::new(&self.api, payload, |request| self.execute(request))
    }

    /// Sends a request that [`Api::build_request`] has built, and hands over the answer as it came:
    /// for a driver or an event loop that judges answers itself. Dropping the future cancels the
    /// request.
    ///
    /// Any complete head is an answer, whatever its status. The body holds one byte more than the
    /// response limit at most; if it broke off, the response has the extension
    /// [`Incomplete`](usage_proto::Incomplete).
    ///
    /// The proxy was chosen for the base URL of [`api`](Self::api). A request for another host
    /// goes the same way.
    ///
    /// # Errors
    ///
    /// The future gives [`TransportError`] if nothing with a complete head came.
    pub fn execute(&self, request: Request<Bytes>) -> Execute {
        let (uri, total, limit) = (request.uri().clone(), self.total, self.api.response_limit());
        let answer = Box::pin(self.service.clone().oneshot(request.map(Full::new)));
        Execute(Box::pin(async move {
            let answer = async {
                let deadline = Deadline::new(total, TransportError::total_deadline);
                let answer = deadline.limit(answer).await?;
                deadline.read(answer.map_err(TransportError::of_service)?, limit).await
            };
            answer.await.map_err(|error| error.at(&uri))
        }))
    }
}

/// The settings of a ready-made [`Client`].
///
/// ```
/// use std::time::Duration;
/// use usage_hyper::{Client, Config};
/// use usage_proto::{Api, BaseUrl, Deadlines};
///
/// let config = Config::new().max_connections(1).idle_timeout(Duration::from_secs(10));
/// let client = Client::configured(Api::new(BaseUrl::STAGING), Deadlines::new(), config)?;
/// # Ok::<(), usage_proto::InvalidProxy>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Config {
    max_connections: Option<usize>,
    idle_timeout: Option<Duration>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Config {
    /// Up to 64 connections, each idle for up to 90 seconds, and TLS by the platform's verifier.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many connections there are at most, idle ones included: from 1 to 64. A call beyond
    /// them waits for one, within the connect deadline.
    pub fn max_connections(self, connections: usize) -> Self {
        Self { max_connections: Some(connections), ..self }
    }

    /// Sets how long a connection is idle and still used again. It is closed within half as long
    /// again. With zero, each call opens a connection.
    pub fn idle_timeout(self, after: Duration) -> Self {
        Self { idle_timeout: Some(after), ..self }
    }

    /// Sets the application's own TLS. [`tls_config`](crate::tls_config) is what to begin with.
    ///
    /// What it says stands, but for ALPN: nothing is offered, since only HTTP/1.1 is spoken.
    #[cfg(feature = "tls")]
    pub fn tls(self, config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        let mut config = Arc::unwrap_or_clone(config.into());
        // A server that was offered HTTP/2 would speak it, and hyper would not understand.
        config.alpn_protocols.clear();
        Self { tls: Some(Arc::new(config)), ..self }
    }
}

/// The future of [`Client::execute`]: an answer with a complete head, or why there is none.
///
/// It holds no borrow. Nothing is sent before it is polled, and dropping it cancels the request: its
/// connection is closed.
#[must_use = "nothing is sent unless the future is awaited"]
pub struct Execute(Pin<Box<dyn Future<Output = Answer> + Send>>);

pub(crate) type Answer = Result<Response<Bytes>, TransportError>;

impl Future for Execute {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Execute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute").finish_non_exhaustive()
    }
}
