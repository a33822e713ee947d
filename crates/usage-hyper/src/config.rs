//! What the contract forces on hyper-util's builder, and what it starts from.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use hyper_util::client::legacy::{self, Builder};
use hyper_util::rt::TokioTimer;
use usage_proto::{InvalidProxy, Proxy};

use crate::connector::Route;
use crate::slots::{Background, CONNECTIONS};

/// The buffer for the head of an answer, in bytes: more than the collector takes, so that it is the
/// one to say what is too large.
const HEAD: usize = 80 << 10;

/// A client that cannot be made from what it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The environment names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),

    /// The environment names a proxy by a host that cannot stand in a URI.
    #[error(
        "`{authority}` from the environment is no address of a proxy: write `http://host:port`"
    )]
    #[non_exhaustive]
    ProxyAddress {
        /// The proxy's host and port.
        authority: String,
    },
}

/// Our defaults, then the application's closure, then what is forced.
pub(crate) fn builder(configure: impl FnOnce(&mut Builder) -> &mut Builder) -> Builder {
    let mut builder = legacy::Client::builder(Background);
    builder
        // Without a timer an idle connection would stay for as long as the server keeps it.
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(CONNECTIONS)
        .http1_max_buf_size(HEAD);
    configure(&mut builder)
        // Whatever came instead of a head would be a success.
        .http09_responses(false)
        // A request of which nothing was written goes out over another connection.
        .retry_canceled_requests(true)
        // The request comes without `Host`.
        .set_host(true);
    builder
}

/// The way through the chosen proxy.
pub(crate) fn route(proxy: &Proxy) -> Result<Route, ClientError> {
    let authority = proxy.authority();
    let address = || ClientError::ProxyAddress { authority: authority.clone() };
    let authorization = match (proxy.username(), proxy.password()) {
        (None, None) => None,
        (username, password) => {
            let pair = [username.unwrap_or_default(), password.unwrap_or_default()].join(":");
            let value = format!("Basic {}", BASE64_STANDARD.encode(pair));
            let mut value = HeaderValue::try_from(value).map_err(|_| address())?;
            value.set_sensitive(true);
            Some(value)
        }
    };
    let proxy = format!("http://{authority}").parse().map_err(|_| address())?;
    Ok(Route { proxy, authorization })
}
