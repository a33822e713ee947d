use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper::rt::Timer;
use hyper_util::client::legacy::Builder;
use hyper_util::rt::TokioTimer;
use tower_service::Service;
use usage_proto::{Api, Deadlines, Error, Saveable, Saved, TransportError, choose_proxy};

use crate::call::Call;
use crate::config::{self, ClientError};
use crate::connector::Connector;
use crate::deadline::SharedTimer;
use crate::error::BoxError;
use crate::service::HttpService;
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// An async client of a Usage API.
///
/// Clones share one pool of connections. A client can be used from many tasks at once.
///
/// `S` is what carries a request: the ready-made [`HttpService`], or a service of the
/// application's own (see [`with_service`](Self::with_service)).
#[derive(Clone)]
pub struct Client<S = HttpService> {
    api: Api,
    service: S,
    ready_made: bool,
    timer: SharedTimer,
    deadlines: Deadlines,
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
    /// [`ClientError`] if the environment names a proxy that cannot be used.
    pub fn new(api: Api) -> Result<Self, ClientError> {
        Self::configured(api, Deadlines::new(), |builder| builder)
    }

    /// A client with other deadlines, and with the application's own settings of hyper-util.
    ///
    /// `configure` gets hyper-util's builder with our defaults in it. What it sets stands, but for
    /// what is [forced](crate#what-is-forced-on-hyper-util).
    ///
    /// ```
    /// use std::time::Duration;
    /// use usage_proto::{Api, BaseUrl, Deadlines};
    ///
    /// let deadlines = Deadlines::new().total(Duration::from_secs(10));
    /// let client = usage_hyper::Client::configured(
    ///     Api::new(BaseUrl::STAGING),
    ///     deadlines,
    ///     |builder| builder.pool_max_idle_per_host(1),
    /// )?;
    /// # Ok::<(), usage_hyper::ClientError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError`] if the environment names a proxy that cannot be used.
    pub fn configured(
        api: Api,
        deadlines: Deadlines,
        configure: impl FnOnce(&mut Builder) -> &mut Builder,
    ) -> Result<Self, ClientError> {
        Self::build(
            api,
            deadlines,
            configure,
            #[cfg(feature = "tls")]
            Tls::platform(),
        )
    }

    /// The same, with the application's own TLS.
    ///
    /// What `tls` says stands, but for ALPN: nothing is offered, since only HTTP/1.1 is spoken.
    /// [`tls_config`](crate::tls_config) is what to begin with.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if the environment names a proxy that cannot be used.
    #[cfg(feature = "tls")]
    pub fn configured_with_tls(
        api: Api,
        deadlines: Deadlines,
        tls: impl Into<Arc<rustls::ClientConfig>>,
        configure: impl FnOnce(&mut Builder) -> &mut Builder,
    ) -> Result<Self, ClientError> {
        Self::build(api, deadlines, configure, Tls::given(tls.into()))
    }

    fn build(
        api: Api,
        deadlines: Deadlines,
        configure: impl FnOnce(&mut Builder) -> &mut Builder,
        #[cfg(feature = "tls")] tls: Tls,
    ) -> Result<Self, ClientError> {
        // A variable that is no text must not mean that there is no proxy: it is refused, or used.
        let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
        let proxy = choose_proxy(api.base_url(), variable)?;
        let route = proxy.as_ref().map(config::route).transpose()?;
        let authorization = route.as_ref().and_then(|route| route.authorization.clone());
        let timer: SharedTimer = Arc::new(TokioTimer::new());
        let connector = Connector::new(
            deadlines,
            Arc::clone(&timer),
            route,
            #[cfg(feature = "tls")]
            tls,
        );
        let builder = config::builder(configure);
        let service = HttpService::new(&builder, connector, proxy, authorization);
        Ok(Self { api, service, ready_made: true, timer, deadlines })
    }
}

/// # Construct over another service
impl<S> Client<S> {
    /// A client over the application's own service, such as a tower stack around a client that it
    /// has already.
    ///
    /// The total deadline, by `timer`, and the body limit hold here too. The service is made ready
    /// and called within the deadline, on a clone for each call. The connect deadline is not used.
    ///
    /// What happens inside the service is the caller's: it must
    ///
    /// - not follow redirects, which would take the token to another host (rule W37),
    /// - not turn statuses into errors,
    /// - not decompress, or bound what comes of it: the limit counts what it hands over (rule W45),
    /// - not send a request twice: [`TransportError::may_have_been_sent`] tells of the attempt that
    ///   failed last.
    ///
    /// Its errors are sorted by what is found in their chain of sources: a [`TransportError`]
    /// itself is handed on; hyper's, hyper-util's, rustls's and IO errors become the kinds of rule
    /// W40; anything else is "other", and counts as sent.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http_body_util::Full;
    /// use tower::service_fn;
    /// use usage_hyper::{Client, hyper_util::rt::TokioTimer};
    /// use usage_proto::{Api, BaseUrl, Deadlines, Usage};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// // Stands in for a service that goes somewhere.
    /// let service = service_fn(async |_request: http::Request<Full<Bytes>>| {
    ///     Ok::<_, std::io::Error>(http::Response::new(Full::new(Bytes::from("{}"))))
    /// });
    /// let api = Api::new(BaseUrl::STAGING);
    /// let client = Client::with_service(api, Deadlines::new(), service, TokioTimer::new());
    /// assert_eq!(client.save(&Usage::new("influxdb")).await?.status(), 200);
    /// # Ok::<(), usage_proto::Error>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_service(
        api: Api,
        deadlines: Deadlines,
        service: S,
        timer: impl Timer + Send + Sync + 'static,
    ) -> Self {
        Self { api, service, ready_made: false, timer: Arc::new(timer), deadlines }
    }
}

/// # Use
impl<S, B> Client<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Into<BoxError>> + Clone,
    B: Body,
{
    /// Sends `payload` and judges the answer.
    ///
    /// The request is built at once, so the future holds no borrow of the payload, and of the
    /// client neither. Nothing is sent before it is polled. Dropping it cancels the request: the
    /// connection closes.
    ///
    /// # Errors
    ///
    /// [`Error::Build`] if the request could not be built, [`Error::Transport`] if there was no
    /// answer, [`Error::Response`] if the answer is not a success.
    pub fn save<P: Saveable + ?Sized>(
        &self,
        payload: &P,
    ) -> impl Future<Output = Result<Saved, Error>> + use<S, B, P> {
        let call = self.api.build_request(payload).map(|request| self.execute(request));
        let api = self.api.clone();
        async move { Ok(api.parse_response(call?.await?)?) }
    }

    /// Sends a request that [`Api::build_request`] has built, and hands over the answer as it came: for
    /// a driver or an event loop that judges answers itself. Dropping the future cancels the
    /// request.
    ///
    /// Any complete head is an answer, whatever its status. The body holds one byte more than the
    /// response limit at most; if it broke off, the response has the extension
    /// [`Incomplete`](usage_proto::Incomplete) (rules W38 and W46).
    ///
    /// The proxy was chosen for the base URL of [`api`](Self::api). A request for another host
    /// goes the same way.
    ///
    /// # Errors
    ///
    /// [`TransportError`] if nothing with a complete head came (rule W40).
    pub fn execute(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + use<S, B> {
        let call = Call {
            service: self.service.clone(),
            ready_made: self.ready_made,
            timer: Arc::clone(&self.timer),
            deadlines: self.deadlines,
            limit: self.api.response_limit(),
        };
        let uri = request.uri().clone();
        // In a box, since it is large and moved about.
        let answer = Box::pin(call.run(request));
        async move { answer.await.map_err(|error| error.at(&uri)) }
    }
}

/// # Inspect
impl<S> Client<S> {
    /// The API that the client was made for.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }
}

impl<S: fmt::Debug> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.api)
            .field("deadlines", &self.deadlines)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
