//! TLS: rustls with ring, and the platform's verifier.

use std::sync::Arc;

use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier, crypto::ring, pki_types::ServerName};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{net::TcpStream, sync::OnceCell};
use tokio_rustls::{TlsConnector, client::TlsStream};
use usage_proto::{TransportError, causes};

use crate::connector::on_a_thread;

/// The configuration of a client. That of the platform is made at the first use: a client for `http`
/// reads no certificates.
pub(crate) type Tls = OnceCell<Arc<ClientConfig>>;

type Session = Result<TlsStream<TcpStream>, TransportError>;

/// The begin of a TLS configuration of the application's own: rustls with ring as its explicit
/// provider.
///
/// ```
/// use usage_hyper::{Client, Config, rustls::RootCertStore, tls_config};
/// use usage_proto::{Api, BaseUrl, Deadlines};
///
/// # let my_certificates = [];
/// let mut roots = RootCertStore::empty();
/// roots.add_parsable_certificates(my_certificates);
/// let tls = tls_config().with_root_certificates(roots).with_no_client_auth();
/// let api = Api::new(BaseUrl::STAGING);
/// let client = Client::configured(api, Deadlines::new(), Config::new().tls(tls))?;
/// # Ok::<(), usage_proto::InvalidProxy>(())
/// ```
#[must_use]
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "ring has both versions")]
pub fn tls_config() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    builder.with_safe_default_protocol_versions().expect("ring has both versions")
}

async fn of_the_platform() -> Result<Arc<ClientConfig>, TransportError> {
    let read = on_a_thread(|| tls_config().with_platform_verifier()).await;
    let config = read.map_err(TransportError::tls)?.map_err(TransportError::no_authorities)?;
    Ok(Arc::new(config.with_no_client_auth()))
}

/// A session with `host`: a name, or an address, with brackets around an IPv6 one.
pub(crate) async fn handshake(tls: &Tls, host: &str, stream: TcpStream) -> Session {
    let config = tls.get_or_try_init(of_the_platform).await?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(TransportError::certificate)?;
    let session = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
    session.map_err(|error| {
        let refused = causes(&error).filter_map(|cause| cause.downcast_ref()).any(is_final);
        if refused { TransportError::certificate(error) } else { TransportError::tls(error) }
    })
}

/// Whether a certificate was not accepted, for another reason than the time by this host's clock.
fn is_final(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(fault) = error else { return false };
    !matches!(fault, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
}
