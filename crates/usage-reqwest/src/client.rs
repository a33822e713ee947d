use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use reqwest::{ClientBuilder, Proxy, redirect::Policy};
use tokio::sync::{OnceCell, Semaphore};
use usage_proto::{Api, Deadlines, InvalidProxy, Saveable, Saving, TransportError, choose_proxy};

use crate::{execute::Execute, lookup::System};

/// An async client of a Usage API.
///
/// Clones share one pool of connections. A client can be used from many tasks at once: 64 calls go
/// on at a time, and the next one waits for its turn.
#[derive(Clone)]
pub struct Client {
    api: Api,
    pub(crate) total: Duration,
    /// Made at the first call.
    pub(crate) http: Arc<OnceCell<reqwest::Client>>,
    pub(crate) make: Make,
    /// How long it may take to connect, if it is of our making.
    pub(crate) connect: Option<Duration>,
    pub(crate) proxy: Option<Arc<usage_proto::Proxy>>,
    /// How many calls may go on at once.
    pub(crate) turns: Arc<Semaphore>,
}

impl Client {
    /// How many calls go on at once, and how many idle connections are kept.
    pub(crate) const CONNECTIONS: usize = 64;

    /// A client with the default [`Deadlines`] that goes through the proxy that the environment
    /// names, if any (see [`choose_proxy`]).
    ///
    /// Nothing is made yet: reqwest's client is, and for `https` the certificates of the platform
    /// are read, at the first save. A host without any fails there. A save needs a tokio runtime
    /// with its IO and time drivers on.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] if the environment names a proxy that cannot be used.
    pub fn new(api: Api) -> Result<Self, InvalidProxy> {
        Self::configured(api, Deadlines::new(), |builder| builder)
    }

    /// A client with other deadlines, and with the application's own settings of reqwest.
    ///
    /// `configure` gets reqwest's builder with our defaults in it, at the first save and on a
    /// thread of its own, and again if no client could be made. What it sets stands, but for what
    /// is [forced](crate#what-is-forced-on-reqwest). What reqwest does not take fails at the save,
    /// as an error of the kind [`Other`](usage_proto::TransportErrorKind::Other).
    ///
    /// ```
    /// use std::time::Duration;
    /// use usage_proto::{Api, BaseUrl, Deadlines};
    ///
    /// let deadlines = Deadlines::new().total(Duration::from_secs(10));
    /// let client = usage_reqwest::Client::configured(
    ///     Api::new(BaseUrl::STAGING),
    ///     deadlines,
    ///     |builder| builder.pool_max_idle_per_host(1),
    /// )?;
    /// # Ok::<(), usage_proto::InvalidProxy>(())
    /// ```
    ///
    /// To connect takes three quarters of the total deadline at most. So it is known that nothing
    /// was sent before the total deadline passes.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] if the environment names a proxy that cannot be used.
    pub fn configured(
        api: Api,
        deadlines: Deadlines,
        configure: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> Result<Self, InvalidProxy> {
        let proxy = choose_proxy(api.base_url(), |name| std::env::var_os(name))?.map(Arc::new);
        let (through, https) = (proxy.clone(), api.base_url().is_https());
        // A total deadline that is the shorter one passes later than that: by then it is known that
        // nothing was sent.
        let connect = deadlines.connect.min(deadlines.total / 4 * 3);
        let make = move || {
            if https && cfg!(not(feature = "tls")) {
                return Err(TransportError::tls_not_built_in("usage-reqwest"));
            }
            let builder = ClientBuilder::new().pool_max_idle_per_host(Self::CONNECTIONS);
            #[cfg(feature = "tls")]
            let builder = builder.tls_backend_preconfigured(crate::tls::config(https)?);
            let builder = configure(builder.dns_resolver(System))
                // A redirect would take the token to another host (W37).
                .redirect(Policy::none())
                // reqwest has no deadlines of its own accord (W41). The total one is ours.
                .connect_timeout(connect)
                // Bodies are taken as they stand, whatever other crates have built in (W45).
                .no_gzip()
                .no_brotli()
                .no_zstd()
                .no_deflate()
                // One small request now and then gains nothing from HTTP/2.
                .http1_only()
                // It would write the token into the log (W6).
                .connection_verbose(false)
                // reqwest's own choice has no exception for loopback. This drops the application's
                // proxies as well as those of the environment.
                .no_proxy();
            let Some(through) = &through else { return builder.build().map_err(Self::unusable) };
            let proxy = Proxy::all(through.uri().to_string()).map_err(Self::unusable)?;
            let credentials = through.authorization().cloned().into_iter();
            let proxy = credentials.fold(proxy, Proxy::custom_http_auth);
            builder.proxy(proxy).build().map_err(Self::unusable)
        };
        let client = Self::over(api, deadlines.total, Arc::new(make));
        Ok(Self { connect: Some(connect), proxy, ..client })
    }

    /// A client over the application's own [`reqwest::Client`]: with its pool, TLS, proxies,
    /// resolver and connector layers. The total deadline is 60 seconds.
    ///
    /// Such a client has to be [built for it](crate#a-client-of-your-own).
    ///
    /// ```
    /// use std::time::Duration;
    /// use usage_proto::{Api, BaseUrl};
    /// use usage_reqwest::{Client, reqwest};
    ///
    /// let builder = reqwest::Client::builder();
    /// # let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
    /// # let tls = tls.with_safe_default_protocol_versions()?;
    /// # let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    /// # let builder = builder.tls_backend_preconfigured(tls);
    /// let my_client = builder
    ///     .redirect(reqwest::redirect::Policy::none())
    ///     .connect_timeout(Duration::from_secs(30))
    ///     .build()?;
    /// let client = Client::with_client(Api::new(BaseUrl::STAGING), my_client);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_client(api: Api, http: reqwest::Client) -> Self {
        Self::over(api, Deadlines::new().total, Arc::new(move || Ok(http.clone())))
    }

    fn over(api: Api, total: Duration, make: Make) -> Self {
        let turns = Arc::new(Semaphore::new(Self::CONNECTIONS));
        Self { api, total, http: Arc::default(), make, connect: None, proxy: None, turns }
    }

    /// Sets the [total deadline](Deadlines::total): from the start of a call to the last byte of
    /// the body, whatever deadlines reqwest's client has of its own.
    #[must_use]
    pub fn with_total_deadline(self, total: Duration) -> Self {
        Self { total, ..self }
    }

    /// Sends `payload` and judges the answer.
    ///
    /// The request is built before this returns: the future borrows nothing, and is [`Send`] and
    /// [`Unpin`] whatever the payload is. Dropping the future cancels the request.
    ///
    /// The request has no `Idempotency-Key`. After an error that says
    /// [`may_have_been_sent`](usage_proto::TransportError::may_have_been_sent) the API may have the
    /// report: saved again, it may count twice. Who tries again builds the request once, gives it a
    /// key, and sends the same request each time; a server that knows the key counts it once:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use usage_server::{Config, Database};
    /// # let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    /// # there.faults().fail(Some("503:2".parse()?));
    /// # let api = usage_proto::Api::new(there.url().parse()?);
    /// # let api = api.with_token(there.create_token("Example Inc.")?)?;
    /// # let client = usage_reqwest::Client::new(api)?;
    /// # let random_bytes = || [7; 16];
    /// # let pause = async |_: u32| ();
    /// use usage_proto::{Error, IdempotencyKey, Usage, UsageData};
    ///
    /// let usage = Usage::new("influxdb").data(UsageData::new().value("num_databases", 3));
    /// let mut request = client.api().build_request(&usage)?;
    /// IdempotencyKey::from_bytes(random_bytes()).apply(&mut request);
    ///
    /// let mut attempt = 1;
    /// let saved = loop {
    ///     // The body is shared, not copied.
    ///     let answer = client.execute(request.clone()).await.map_err(Error::from);
    ///     match answer.and_then(|answer| Ok(client.api().parse_response(answer)?)) {
    ///         Err(error) if error.is_retryable() && attempt < 4 => pause(attempt).await,
    ///         outcome => break outcome?,
    ///     }
    ///     attempt += 1;
    /// };
    /// assert_eq!(saved.status(), 201);
    /// # assert_eq!(attempt, 3);
    /// # let again = client.api().parse_response(client.execute(request).await?)?;
    /// # assert_eq!((again.status().as_u16(), there.store().usage().read_all()?.len()), (201, 1));
    /// # there.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Of the future: [`Error::Build`](usage_proto::Error::Build) if the request could not be
    /// built, [`Error::Transport`](usage_proto::Error::Transport) if there was no answer,
    /// [`Error::Response`](usage_proto::Error::Response) if the answer is not a success.
    pub fn save<P: Saveable + ?Sized>(&self, payload: &P) -> Saving<Execute> {
        Saving::new(&self.api, payload, |request| self.execute(request))
    }

    /// Sends a request that [`Api::build_request`] has built, and hands over the answer as it came:
    /// for a driver or an event loop that judges answers itself. The future borrows nothing;
    /// dropping it cancels the request.
    ///
    /// Any complete head is an answer, whatever its status. The body holds one byte more than the
    /// response limit at most; if it broke off, the response has the extension
    /// [`Incomplete`](usage_proto::Incomplete).
    ///
    /// The client was made for the base URL of [`api`](Self::api): a request for another host goes
    /// through the same proxy, and one for `https` needs a base URL with `https`.
    ///
    /// # Errors
    ///
    /// Of the future: [`TransportError`] if nothing with a complete
    /// head came.
    pub fn execute(&self, request: Request<Bytes>) -> Execute {
        let (client, uri) = (self.clone(), request.uri().clone());
        Execute(Box::pin(async move { client.call(request).await.map_err(|e| e.at(&uri)) }))
    }

    /// The API that the client was made for.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}

/// Makes reqwest's client.
type Make = Arc<dyn Fn() -> Result<reqwest::Client, TransportError> + Send + Sync>;
