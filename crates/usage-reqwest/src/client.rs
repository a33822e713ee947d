use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use reqwest::ClientBuilder;
use tokio::sync::Semaphore;
use usage_proto::{Api, Deadlines, Proxy, Saveable, Saving, choose_proxy};

use crate::config::{CONNECTIONS, ClientError, build};
use crate::execute::{Call, Execute};

#[derive(Clone)]
pub struct Client {
    api: Api,
    http: reqwest::Client,
    turns: Arc<Semaphore>,
    total: Duration,
    /// Known for a client of our making.
    connect: Option<Duration>,
    /// The one that was chosen, for a client of our making.
    proxy: Option<Arc<Proxy>>,
}

impl Client {
    pub fn new(api: Api) -> Result<Self, ClientError> {
        Self::configured(api, Deadlines::new(), |builder| builder)
    }

    pub fn configured(
        api: Api,
        deadlines: Deadlines,
        configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ClientError> {
        let proxy = choose_proxy(api.base_url(), |name| std::env::var_os(name))?;
        let http = build(deadlines.connect, proxy.as_ref(), configure)?;
        let connect = Some(deadlines.connect);
        let client = Self::with_client(api, http).with_total_deadline(deadlines.total);
        Ok(Self { connect, proxy: proxy.map(Arc::new), ..client })
    }

    #[must_use]
    pub fn with_client(api: Api, http: reqwest::Client) -> Self {
        let turns = Arc::new(Semaphore::new(CONNECTIONS));
        Self { api, http, turns, total: Deadlines::new().total, connect: None, proxy: None }
    }

    #[must_use]
    pub fn with_total_deadline(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    pub fn save<P: Saveable + ?Sized>(&self, payload: &P) -> Saving<Execute> {
        Saving::new(&self.api, payload, |request| self.execute(request))
    }

    pub fn execute(&self, request: Request<Bytes>) -> Execute {
        let call = Call {
            http: self.http.clone(),
            turns: Arc::clone(&self.turns),
            proxy: self.proxy.clone(),
            total: self.total,
            connect: self.connect,
            limit: self.api.response_limit(),
        };
        Execute::new(call, request)
    }

    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.api)
            .field("total", &self.total)
            .field("connect", &self.connect)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}
