//! What the contract forces on ureq's builder, and what it starts from.

use std::time::Duration;

use ureq::Agent;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;
use usage_proto::{Deadlines, InvalidProxy, Proxy};

/// The buffer for the head of an answer, in bytes: more than the collector takes, so that it is the
/// one to say what is too large.
const HEAD: usize = 80 << 10;

/// How many idle connections one client keeps: as many as were in use at once, up to this.
const IDLE: usize = 64;

/// ureq adds deadlines to the time of day, which overflows; nobody waits for a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

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

    /// The TLS configuration that the application has set cannot be used.
    #[cfg(feature = "tls")]
    #[error("the TLS configuration {fault}")]
    #[non_exhaustive]
    Tls {
        /// What is wrong with it, and what to do.
        fault: &'static str,
    },
}

/// Our defaults, then the application's closure, then what is forced.
pub(crate) fn config(
    deadlines: Deadlines,
    proxy: Option<ureq::Proxy>,
    configure: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
) -> Config {
    let builder = Agent::config_builder()
        // The request is complete: it goes out as `Api::build_request` has made it.
        .accept("")
        // A head that is larger fills the buffer, which is how it is noticed. ureq's own limit
        // would also hit a pile of small interim answers.
        .input_buffer_size(HEAD)
        .max_response_header_size(HEAD)
        .max_idle_connections(IDLE)
        .max_idle_connections_per_host(IDLE);
    #[cfg(feature = "tls")]
    let builder = builder.tls_config(crate::tls::tls_config().build());

    configure(builder)
        // A redirect would take the token to another host (W37).
        .max_redirects(0)
        // A status is an answer, not an error of the transport (W40).
        .http_status_as_error(false)
        // One deadline over everything; ureq has none of its own accord (W41). The connect
        // deadline counts from the start of the call, see `connector`.
        .timeout_global(Some(deadlines.total.min(LONGEST)))
        .timeout_resolve(Some(deadlines.connect.min(LONGEST)))
        .timeout_connect(Some(deadlines.connect.min(LONGEST)))
        // ureq's own choice takes the first variable whatever the scheme, for loopback too.
        .proxy(proxy)
        .build()
}

/// The chosen proxy as ureq wants it.
pub(crate) fn proxy(proxy: &Proxy) -> Result<ureq::Proxy, ClientError> {
    let authority = proxy.authority();
    let address = || ClientError::ProxyAddress { authority: authority.clone() };
    let (host, _) = authority.rsplit_once(':').ok_or_else(address)?;
    let mut builder = ureq::Proxy::builder(ureq::ProxyProtocol::Http).host(host).port(proxy.port());
    if let Some(username) = proxy.username() {
        builder = builder.username(username);
    }
    if let Some(password) = proxy.password() {
        builder = builder.password(password);
    }
    builder.build().map_err(|_| address())
}
