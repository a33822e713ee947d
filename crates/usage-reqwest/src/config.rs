//! What reqwest's client is built with.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, ClientBuilder, Proxy, redirect::Policy};
use tokio::sync::Semaphore;
use usage_proto::TransportError;

use crate::lookup::Lookups;

/// How many calls of one client go on at once, and how many idle connections it keeps.
pub(crate) const CONNECTIONS: usize = 64;

/// How many names are looked up at once. Calls that were given up leave no more threads behind.
const LOOKUPS: usize = 8;

pub(crate) type Make = Arc<dyn Fn() -> Result<Client, TransportError> + Send + Sync>;

/// Our defaults, then the application's own settings, then what is forced.
pub(crate) fn build(
    https: bool,
    connect_deadline: Duration,
    proxy: Option<&usage_proto::Proxy>,
    configure: impl Fn(ClientBuilder) -> ClientBuilder,
) -> Result<Client, TransportError> {
    if https && cfg!(not(feature = "tls")) {
        return Err(TransportError::tls_not_built_in("usage-reqwest"));
    }
    let builder = ClientBuilder::new().pool_max_idle_per_host(CONNECTIONS);
    #[cfg(feature = "tls")]
    let builder = builder.tls_backend_preconfigured(crate::tls::config(https)?);
    let builder = configure(builder.dns_resolver(Lookups(Arc::new(Semaphore::new(LOOKUPS)))))
        // A redirect would take the token to another host (W37).
        .redirect(Policy::none())
        // reqwest has no deadlines of its own accord (W41). The total one is over each call.
        .connect_timeout(connect_deadline)
        // Bodies are taken as they stand, whatever other crates have built in (W45).
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        // One small request now and then gains nothing from HTTP/2.
        .http1_only()
        // It would write the token into the log (W6).
        .connection_verbose(false)
        // reqwest's own choice has no exception for loopback. This drops the application's proxies
        // as well as those of the environment.
        .no_proxy();
    let Some(proxy) = proxy else { return builder.build().map_err(unusable) };
    let chosen = Proxy::all(proxy.uri().to_string()).map_err(unusable)?;
    let authorized = proxy.authorization().cloned().into_iter();
    builder.proxy(authorized.fold(chosen, Proxy::custom_http_auth)).build().map_err(unusable)
}

/// Nothing can be sent, and it would be the same another time.
pub(crate) fn unusable(
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> TransportError {
    TransportError::other(error).not_sent().not_retryable()
}
