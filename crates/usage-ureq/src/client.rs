use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use ureq::config::ConfigBuilder;
#[cfg(feature = "tls")]
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use ureq::{Agent, ResponseExt as _, SendBody};
use usage_proto::TransportErrorKind::{Connect, Timeout};
use usage_proto::{Api, Deadlines, Error, InvalidProxy, Proxy, Saveable, Saved, TransportError};

use crate::body::{self, Report};
use crate::error::explain;
use crate::gate::{AT_ONCE, Gate};
use crate::proxy::to_ureq;

/// ureq adds a deadline to the time of day, which overflows; nobody waits for a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A blocking client of a Usage API.
///
/// Clones share one pool of connections. A client can be used from many threads at once; at most 64
/// calls go on at once, and others wait for one of them to end, within their deadline.
#[derive(Clone)]
pub struct Client {
    api: Api,
    agent: Agent,
    deadlines: Deadlines,
    /// The one that was chosen here; that of an application's agent is the agent's.
    proxy: Option<Arc<Proxy>>,
    gate: Arc<Gate>,
    /// Whether the agent was made here, so that what is forced is set.
    is_ours: bool,
}

/// # Construct
impl Client {
    /// A client with the default [`Deadlines`] that goes through the proxy that the environment
    /// names, if any (see [`choose_proxy`](usage_proto::choose_proxy)).
    ///
    /// No connection is made, and no certificates are read: a host without any fails at the first
    /// save, and only for `https`.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] if the environment names a proxy that cannot be used.
    pub fn new(api: Api) -> Result<Self, InvalidProxy> {
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
    /// # Ok::<(), usage_proto::InvalidProxy>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] if the environment names a proxy that cannot be used.
    pub fn configured(
        api: Api,
        deadlines: Deadlines,
        configure: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
    ) -> Result<Self, InvalidProxy> {
        let proxy = usage_proto::choose_proxy(api.base_url(), |name| std::env::var_os(name))?;
        let builder = Agent::config_builder()
            // The request is complete: it goes out as `Api::build_request` has made it.
            .accept("")
            // So that the collector is the one to say what is too large.
            .max_response_header_size(usage_proto::Collector::HEAD_ROOM)
            .max_idle_connections(AT_ONCE)
            .max_idle_connections_per_host(AT_ONCE);
        #[cfg(feature = "tls")]
        let builder = builder
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build());
        let total = deadlines.total.min(LONGEST);
        let connect = Some(deadlines.connect.min(total));
        let config = configure(builder)
            // A redirect would take the token to another host (W37).
            .max_redirects(0)
            .save_redirect_history(true)
            // A status is an answer, not an error of the transport (W40).
            .http_status_as_error(false)
            // One deadline over everything (W41).
            .timeout_global(Some(total))
            .timeout_resolve(connect)
            .timeout_connect(connect)
            // ureq's own choice takes the first variable whatever the scheme, for loopback too.
            .proxy(proxy.as_ref().map(to_ureq));
        let client = Self::with_agent(api, config.build().into());
        Ok(Self { proxy: proxy.map(Arc::new), is_ours: true, ..client })
    }

    /// A client over the application's own agent, with its pool, TLS, proxies and middleware.
    ///
    /// What the agent has to keep is told [in the documentation of the crate](crate#an-agent-of-your-own).
    /// The deadlines are the agent's [`timeout_global`](ConfigBuilder::timeout_global) and
    /// [`timeout_connect`](ConfigBuilder::timeout_connect); without the first it is 60 seconds.
    ///
    /// ```
    /// use usage_proto::{Api, BaseUrl};
    /// use usage_ureq::{Client, ureq::Agent};
    ///
    /// let agent: Agent = Agent::config_builder().user_agent("example/1.0").build().into();
    /// let client = Client::with_agent(Api::new(BaseUrl::STAGING), agent);
    /// ```
    #[must_use]
    pub fn with_agent(api: Api, agent: Agent) -> Self {
        let (timeouts, mut deadlines) = (agent.config().timeouts(), Deadlines::new());
        deadlines.total = timeouts.global.unwrap_or(deadlines.total);
        deadlines.connect = timeouts.connect.or(timeouts.resolve).unwrap_or(deadlines.connect);
        Self { api, agent, deadlines, proxy: None, gate: Arc::default(), is_ours: false }
    }
}

/// # Use
impl Client {
    /// Sends `payload` and judges the answer. Blocks, for the total deadline at most.
    ///
    /// The request has no `Idempotency-Key`. After an error that says
    /// [`may_have_been_sent`](TransportError::may_have_been_sent) the API may have the report:
    /// saved again, it may count twice. Who tries again builds the request once, gives it a key,
    /// and sends the same request each time; a server that knows the key counts it once:
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
    /// # assert_eq!(there.store().usage().read_all()?.len(), 1);
    /// # let again = client.api().parse_response(client.execute(request)?)?;
    /// # assert_eq!((again.status().as_u16(), there.store().usage().read_all()?.len()), (201, 1));
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

    /// Sends a request that [`Api::build_request`] has built, and hands over the answer as it came:
    /// for a driver or an event loop that judges answers itself. Blocks, for the total deadline at
    /// most.
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
    /// [`TransportError`] if nothing with a complete head came.
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
        let late = || TransportError::total_deadline(self.deadlines.total).not_sent();
        let (_place, left) = self.gate.enter(self.deadlines.total).ok_or_else(late)?;
        let (mut parts, bytes) = request.into_parts();
        let uri = parts.uri.clone();
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(TransportError::other(NO_URL).not_sent().not_retryable());
        }
        // ureq would take another configuration from here, and what is forced with it.
        parts.extensions.clear();
        parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        // Nobody asks for a body that is empty.
        let mut report = Report { rest: &bytes, asked_for: bytes.is_empty() };
        let mut request = Request::from_parts(parts, SendBody::from_reader(&mut report));
        // For such a request ureq reads the authorities anew if it has to connect.
        if !self.is_ours || left < self.deadlines.total {
            let builder = self.agent.configure_request(request).max_redirects(0);
            let builder = builder.save_redirect_history(true).http_status_as_error(false);
            request = builder.timeout_global(Some(left)).build();
        }
        let response = self.agent.run(request).map_err(|error| {
            let error = explain(error, report.asked_for, self.deadlines);
            match (&self.proxy, error.kind()) {
                (Some(way), Connect | Timeout) if !error.may_have_been_sent() => error.through(way),
                _ => error,
            }
        })?;
        // A middleware that has answered by itself leaves no history.
        if response.get_redirect_history().is_some_and(|history| *history != [uri]) {
            return Err(TransportError::other(ELSEWHERE).not_retryable());
        }
        body::read(response, &self.api)
    }
}

const NO_URL: &str = "the request has no URL that begins with `http://` or `https://`";
const ELSEWHERE: &str = "the answer came from another URL than the one that was asked";

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}
