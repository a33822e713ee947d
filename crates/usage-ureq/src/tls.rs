//! TLS: rustls with ring, and the platform's verifier.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ureq::tls::{ClientCert, RootCerts, TlsConfig, TlsConfigBuilder, TlsProvider};

use crate::ClientError;

/// The TLS configuration that a client starts from: rustls with ring as its explicit provider, and
/// the certificate verifier of the platform.
///
/// Begin with it when [`Client::configured`](crate::Client::configured) is to have other roots or
/// a client certificate. `TlsConfig::builder()` has no provider and Mozilla's roots, of which
/// neither is built in; a client refuses it.
///
/// ```
/// use usage_proto::{Api, BaseUrl, Deadlines};
/// use usage_ureq::{Client, tls_config, ureq::tls::RootCerts};
///
/// # let my_certificates = [];
/// let roots = RootCerts::new_with_certs(&my_certificates);
/// let client = Client::configured(Api::new(BaseUrl::STAGING), Deadlines::new(), |builder| {
///     builder.tls_config(tls_config().root_certs(roots).build())
/// })?;
/// # Ok::<(), usage_ureq::ClientError>(())
/// ```
#[must_use]
pub fn tls_config() -> TlsConfigBuilder {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
}

/// Refuses what ureq would panic on at the first save.
pub(crate) fn check(config: &TlsConfig) -> Result<(), ClientError> {
    let refuse = |fault| Err(ClientError::Tls { fault });
    if config.provider() != TlsProvider::Rustls {
        return refuse("asks for another library than rustls: leave its provider as it is");
    }
    if config.unversioned_rustls_crypto_provider().is_none() {
        return refuse("names no crypto provider: begin with `usage_ureq::tls_config()`");
    }
    if matches!(config.root_certs(), RootCerts::WebPki) {
        return refuse(
            "asks for Mozilla's root certificates, which are not built in: set \
             `RootCerts::PlatformVerifier`, or certificates of your own",
        );
    }
    match config.client_cert() {
        Some(certificate) if !is_usable(certificate, config) => {
            refuse("has a client certificate that does not fit its private key: check both files")
        }
        _ => Ok(()),
    }
}

/// Tries what ureq will do with the certificate.
fn is_usable(certificate: &ClientCert, config: &TlsConfig) -> bool {
    let Some(provider) = config.unversioned_rustls_crypto_provider().clone() else {
        return false;
    };
    let chain = certificate.certs().iter().map(|part| CertificateDer::from(part.der().to_vec()));
    let Ok(key) = PrivateKeyDer::try_from(certificate.private_key().der().to_vec()) else {
        return false;
    };
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .is_ok_and(|builder| {
            builder
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_client_auth_cert(chain.collect(), key)
                .is_ok()
        })
}
