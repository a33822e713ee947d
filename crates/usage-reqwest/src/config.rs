//! What the contract forces on reqwest's builder, and what it starts from.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, retry};
use usage_proto::{InvalidProxy, Proxy};

use crate::lookup::Lookups;

/// How many calls of one client go on at once, and how many idle connections it keeps.
pub(crate) const CONNECTIONS: usize = 64;

/// A client that cannot be made from what it was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The environment names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),

    /// reqwest does not take what the application has set on its builder.
    #[error("the settings of reqwest cannot be used")]
    Settings(#[source] reqwest::Error),
}

/// Our defaults, then the application's closure, then what is forced.
pub(crate) fn build(
    connect_deadline: Duration,
    proxy: Option<&Proxy>,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<reqwest::Client, ClientError> {
    let builder = ClientBuilder::new()
        .pool_max_idle_per_host(CONNECTIONS)
        // Never on the runtime's pool for what blocks, and not by a resolver that another crate
        // has built in.
        .dns_resolver(Lookups::default());
    #[cfg(feature = "tls")]
    let builder = builder.tls_backend_preconfigured(crate::tls::default_config());

    let mut builder = configure(builder)
        // A redirect would take the token to another host (W37).
        .redirect(Policy::none())
        .referer(false)
        // Whether a report is sent again is for the caller to say, who has its key (W43).
        .retry(retry::never())
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
    if let Some(proxy) = proxy {
        builder = builder.proxy(chosen(proxy).map_err(ClientError::Settings)?);
    }
    builder.build().map_err(ClientError::Settings)
}

/// The chosen proxy as reqwest wants it.
fn chosen(proxy: &Proxy) -> reqwest::Result<reqwest::Proxy> {
    let chosen = reqwest::Proxy::all(proxy.uri().to_string())?;
    Ok(match proxy.authorization() {
        Some(authorization) => chosen.custom_http_auth(authorization.clone()),
        None => chosen,
    })
}
