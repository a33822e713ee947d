use std::fmt;

use bytes::Bytes;
use http::{Request, Response};
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;
use usage_proto::{Api, Deadlines, Error, Saveable, Saved, TransportError, choose_proxy};

use crate::config::{self, ClientError};
use crate::connector::connector;
use crate::error::transport_error;
use crate::resolver::Lookup;
use crate::{body, call};

/// A blocking client of a Usage API.
///
/// Clones share one pool of connections. A client can be used from many threads at once.
#[derive(Clone)]
pub struct Client {
    api: Api,
    agent: Agent,
}

/// # Construct
impl Client {
    /// A client with the default [`Deadlines`] that goes through the proxy that the environment
    /// names, if any (see [`choose_proxy`]).
    ///
    /// No connection is made, and no certificates are read: a host without any fails at the first
    /// save, and only for `https`.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if the environment names a proxy that cannot be used.
    pub fn new(api: Api) -> Result<Self, ClientError> {
        Self::configured(api, Deadlines::new(), |builder| builder)
    }

    /// A client with other deadlines, and with the application's own settings of ureq.
    ///
    /// `configure` gets ureq's builder with our defaults in it. What it sets stands, but for what
    /// is [forced](crate#what-is-forced-on-ureq).
    ///
    /// ```
    /// use std::time::Duration;
    /// use usage_proto::{Api, BaseUrl, Deadlines};
    ///
    /// let deadlines = Deadlines::new().total(Duration::from_secs(10));
    /// let client = usage_ureq::Client::configured(
    ///     Api::new(BaseUrl::STAGING),
    ///     deadlines,
    ///     |builder| builder.max_idle_connections(1),
    /// )?;
    /// # Ok::<(), usage_ureq::ClientError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError`] if the environment names a proxy that cannot be used, or if `configure` has
    /// set a TLS configuration that cannot be used.
    pub fn configured(
        api: Api,
        deadlines: Deadlines,
        configure: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
    ) -> Result<Self, ClientError> {
        // A variable that is no text must not mean that there is no proxy: it is refused, or used.
        let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
        let proxy = choose_proxy(api.base_url(), variable)?;
        let proxy = proxy.as_ref().map(config::proxy).transpose()?;
        let connector = connector(deadlines.connect, proxy.is_some());
        let config = config::config(deadlines, proxy, configure);
        #[cfg(feature = "tls")]
        crate::tls::check(config.tls_config())?;
        Ok(Self { api, agent: Agent::with_parts(config, connector, Lookup) })
    }
}

/// # Use
impl Client {
    /// Sends `payload` and judges the answer. Blocks, for the total deadline at most.
    ///
    /// The request has no `Idempotency-Key`. After an error that says
    /// [`may_have_been_sent`](TransportError::may_have_been_sent) the API may have the report:
    /// saved again, it may count twice. Who tries again builds the request once, gives it a key,
    /// and sends the same request each time; a server that knows the key counts it once (W43):
    ///
    /// ```
    /// # use usage_server::{Config, Database};
    /// # let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    /// # there.faults().fail(Some("503:2".parse()?));
    /// # let client = usage_ureq::Client::new(usage_proto::Api::new(there.url().parse()?))?;
    /// # let token = there.create_token("Example Inc.")?;
    /// # let api = client.api().clone().with_token(token)?;
    /// # let client = usage_ureq::Client::new(api)?;
    /// # let random_bytes = || [7; 16];
    /// # let pause = |_: u32| {};
    /// use usage_proto::{Error, IdempotencyKey, Usage, UsageData};
    ///
    /// let usage = Usage::new("influxdb").data(UsageData::new().value("num_databases", 3));
    /// let mut request = client.api().build_request(&usage)?;
    /// IdempotencyKey::from_bytes(random_bytes()).apply(&mut request);
    ///
    /// let mut attempt = 1;
    /// let saved = loop {
    ///     // The body is shared, not copied.
    ///     let answer = client.execute(request.clone()).map_err(Error::from);
    ///     match answer.and_then(|answer| Ok(client.api().parse_response(answer)?)) {
    ///         Err(error) if error.is_retryable() && attempt < 4 => pause(attempt),
    ///         outcome => break outcome?,
    ///     }
    ///     attempt += 1;
    /// };
    /// assert_eq!(saved.status(), 201);
    /// # assert_eq!(attempt, 3);
    /// # assert_eq!(there.store().usage()?.len(), 1);
    /// # let again = client.api().parse_response(client.execute(request)?)?;
    /// # assert_eq!((again.status().as_u16(), there.store().usage()?.len()), (201, 1));
    /// # there.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Build`] if the request could not be built, [`Error::Transport`] if there was no
    /// answer, [`Error::Response`] if the answer is not a success.
    pub fn save<P: Saveable + ?Sized>(&self, payload: &P) -> Result<Saved, Error> {
        let response = self.execute(self.api.build_request(payload)?)?;
        Ok(self.api.parse_response(response)?)
    }

    /// Sends a request that [`Api::build_request`] has built, and hands over the answer as it came: for
    /// a driver or an event loop that judges answers itself. Blocks, for the total deadline at
    /// most.
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
    pub fn execute(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let uri = request.uri().clone();
        self.exchange(request).map_err(|error| error.at(&uri))
    }

    /// The API that the client was made for.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        #[cfg(not(feature = "tls"))]
        if request.uri().scheme() == Some(&http::uri::Scheme::HTTPS) {
            return Err(TransportError::tls(NO_TLS).not_retryable());
        }
        let (mut parts, bytes) = request.into_parts();
        // ureq would take another configuration from here, and what is forced with it.
        parts.extensions.clear();
        let secrets = call::take_secrets(&mut parts.headers);
        let request = Request::from_parts(parts, &*bytes);
        let (answer, sent) = call::run(secrets, || self.agent.run(request));
        match answer {
            Ok(response) => body::collect(response, self.api.response_limit()),
            Err(error) => Err(transport_error(error, sent, self.agent.config())),
        }
    }
}

#[cfg(not(feature = "tls"))]
const NO_TLS: &str = "https is not built in: turn on the feature `tls` of usage-ureq";

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = self.agent.config();
        f.debug_struct("Client")
            .field("api", &self.api)
            .field("deadline", &config.timeouts().global)
            .field("proxy", &config.proxy().map(|proxy| (proxy.host(), proxy.port())))
            .finish_non_exhaustive()
    }
}
