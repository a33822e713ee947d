use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::ClientBuilder;
use tokio::sync::Semaphore;
use usage_proto::{Api, Deadlines, Error, Saveable, Saved, TransportError, choose_proxy};

use crate::call::Call;
use crate::config::{self, CONNECTIONS, ClientError};

/// An async client of a Usage API.
///
/// Clones share one pool of connections. A client can be used from many tasks at once.
#[derive(Clone)]
pub struct Client {
    api: Api,
    http: reqwest::Client,
    turns: Arc<Semaphore>,
    deadlines: Deadlines,
    /// Host and port, to show them.
    proxy: Option<Arc<str>>,
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

    /// A client with other deadlines, and with the application's own settings of reqwest.
    ///
    /// `configure` gets reqwest's builder with our defaults in it. What it sets stands, but for
    /// what is [forced](crate#what-is-forced-on-reqwest).
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
    /// # Ok::<(), usage_reqwest::ClientError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError`] if the environment names a proxy that cannot be used, or if `configure` has
    /// set something that reqwest does not take.
    ///
    /// # Panics
    ///
    /// reqwest panics if `configure` asks for its own configuration of rustls
    /// (`tls_backend_rustls`) in a process that has no crypto provider.
    pub fn configured(
        api: Api,
        deadlines: Deadlines,
        configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ClientError> {
        // A variable that is no text must not mean that there is no proxy: it is refused, or used.
        let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
        let chosen = choose_proxy(api.base_url(), variable)?;
        let proxy = chosen.as_ref().map(config::proxy).transpose()?;
        Ok(Self {
            api,
            http: config::client(deadlines, proxy, configure)?,
            turns: Arc::new(Semaphore::new(CONNECTIONS)),
            deadlines,
            proxy: chosen.map(|proxy| proxy.authority().into()),
        })
    }
}

/// # Use
impl Client {
    /// Sends `payload` and judges the answer.
    ///
    /// The request is built before this returns: the future borrows nothing, and is [`Send`]
    /// whatever the payload is. Dropping the future cancels the request.
    ///
    /// The request has no `Idempotency-Key`. After an error that says
    /// [`may_have_been_sent`](TransportError::may_have_been_sent) the API may have the report:
    /// saved again, it may count twice. Who tries again builds the request once, gives it a key,
    /// and sends the same request each time; a server that knows the key counts it once (W43):
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
    /// # assert_eq!((again.status().as_u16(), there.store().usage()?.len()), (201, 1));
    /// # there.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Build`] if the request could not be built, [`Error::Transport`] if there was no
    /// answer, [`Error::Response`] if the answer is not a success.
    pub fn save<P: Saveable + ?Sized>(
        &self,
        payload: &P,
    ) -> impl Future<Output = Result<Saved, Error>> + Send + use<P> {
        let call = self.api.build_request(payload).map(|request| self.execute(request));
        let api = self.api.clone();
        async move { Ok(api.parse_response(call?.await?)?) }
    }

    /// Sends a request that [`Api::build_request`] has built, and hands over the answer as it came: for
    /// a driver or an event loop that judges answers itself. The future borrows nothing; dropping
    /// it cancels the request.
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
    ) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send + use<> {
        let call = Call {
            http: self.http.clone(),
            turns: Arc::clone(&self.turns),
            proxy: self.proxy.clone(),
            deadlines: self.deadlines,
            limit: self.api.response_limit(),
        };
        let uri = request.uri().clone();
        async move { call.run(request).await.map_err(|error| error.at(&uri)) }
    }

    /// The API that the client was made for.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.api)
            .field("deadlines", &self.deadlines)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}
