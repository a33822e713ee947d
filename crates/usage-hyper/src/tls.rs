//! TLS: rustls with ring, and the platform's verifier.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::task;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::ConnectError;

/// The begin of a TLS configuration of the application's own: rustls with ring as its explicit
/// provider.
///
/// ```
/// use usage_hyper::{Client, rustls::RootCertStore, tls_config};
/// use usage_proto::{Api, BaseUrl, Deadlines};
///
/// # let my_certificates = [];
/// let mut roots = RootCertStore::empty();
/// roots.add_parsable_certificates(my_certificates);
/// let tls = tls_config().with_root_certificates(roots).with_no_client_auth();
/// let api = Api::new(BaseUrl::STAGING);
/// let client = Client::configured_with_tls(api, Deadlines::new(), tls, |builder| builder)?;
/// # Ok::<(), usage_hyper::ClientError>(())
/// ```
#[must_use]
pub fn tls_config() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    builder()
}

#[expect(clippy::expect_used, reason = "ring has cipher suites for TLS 1.2 and 1.3")]
fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has both versions")
}

/// Makes TLS sessions.
pub(crate) struct Tls {
    /// Made at the first use: a client for `http` reads no certificates.
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// By the certificate verifier of the platform.
    pub(crate) fn platform() -> Self {
        Self { config: OnceCell::new() }
    }

    pub(crate) fn given(config: Arc<ClientConfig>) -> Self {
        let mut config = Arc::unwrap_or_clone(config);
        // A server that was offered HTTP/2 would speak it, and hyper would not understand.
        config.alpn_protocols.clear();
        Self { config: OnceCell::new_with(Some(Arc::new(config))) }
    }

    /// A session with `host`: a name, or an address, with brackets around an IPv6 one.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        let config = self.config.get_or_try_init(platform_config).await?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(ConnectError::Name)?;
        let connector = TlsConnector::from(Arc::clone(config));
        connector.connect(name, stream).await.map_err(|error| ConnectError::Tls(error.into()))
    }
}

/// Reads the platform's certificates, away from the threads that must not block: they may be files.
async fn platform_config() -> Result<Arc<ClientConfig>, ConnectError> {
    let read = task::spawn_blocking(|| builder().with_platform_verifier()).await;
    let config = read.map_err(|error| ConnectError::Tls(error.into()))?;
    let config = config.map_err(ConnectError::NoAuthorities)?;
    Ok(Arc::new(config.with_no_client_auth()))
}
