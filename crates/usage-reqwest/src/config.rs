//! What the contract forces on reqwest's builder, and what it starts from.

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Url, retry};
use usage_proto::{Deadlines, InvalidProxy, Proxy};

use crate::reuse::Reuse;

/// How many calls of one client go on at once, and how many idle connections it keeps.
pub(crate) const CONNECTIONS: usize = 64;

/// A client that cannot be made from what it was given.
#[derive(Debug, thiserror::Error)]
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

    /// reqwest does not take what the application has set on its builder.
    #[error("the settings of reqwest cannot be used")]
    Settings(#[source] reqwest::Error),
}

/// Our defaults, then the application's closure, then what is forced.
pub(crate) fn client(
    deadlines: Deadlines,
    proxy: Option<reqwest::Proxy>,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<reqwest::Client, ClientError> {
    let builder = ClientBuilder::new()
        .pool_max_idle_per_host(CONNECTIONS)
        // The system's resolver, also where another crate has built in that of hickory.
        .no_hickory_dns();
    #[cfg(feature = "tls")]
    let builder = builder.tls_backend_preconfigured(crate::tls::default_config());

    let builder = configure(builder)
        // A redirect would take the token to another host (W37).
        .redirect(Policy::none())
        .referer(false)
        // Whether a report is sent again is for the caller to say, who has its key (W43).
        .retry(retry::never())
        // reqwest has no deadlines of its own accord (W41). The total one is set on each request.
        .connect_timeout(deadlines.connect)
        // Bodies are taken as they stand, whatever other crates have built in (W45).
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        // One small request now and then gains nothing from HTTP/2.
        .http1_only()
        // One pool, and no more connections in it than needed (W42).
        .connector_layer(Reuse::within(deadlines.connect))
        // It would write the token into the log (W6).
        .connection_verbose(false)
        // reqwest's own choice has no exception for loopback. This drops the application's proxies
        // as well as those of the environment.
        .no_proxy();
    let builder = match proxy {
        Some(proxy) => builder.proxy(proxy),
        None => builder,
    };
    builder.build().map_err(ClientError::Settings)
}

/// The chosen proxy as reqwest wants it.
pub(crate) fn proxy(proxy: &Proxy) -> Result<reqwest::Proxy, ClientError> {
    let authority = proxy.authority();
    let url = Url::parse(&format!("http://{authority}"))
        .ok()
        // reqwest would go around a proxy that it cannot make a URI of.
        .filter(|url| url.as_str().parse::<http::Uri>().is_ok())
        .ok_or(ClientError::ProxyAddress { authority })?;
    // Not `Proxy::all`, which puts the credentials into a URL and loses a `%` in them on the way.
    let chosen = reqwest::Proxy::custom(move |_| Some(url.clone()));
    Ok(match proxy.username() {
        Some(username) => chosen.basic_auth(username, proxy.password().unwrap_or_default()),
        None => chosen,
    })
}
