//! TLS: rustls with ring, and the platform's verifier.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    WantsVerifier,
};
use rustls_platform_verifier::Verifier;

/// The begin of a TLS configuration of the application's own: rustls with ring as its explicit
/// provider. Leave its `alpn_protocols` empty: HTTP/2 is not spoken here.
///
/// ```
/// use usage_proto::{Api, BaseUrl, Deadlines};
/// use usage_reqwest::{Client, rustls::RootCertStore, tls_config};
///
/// # let my_certificates = [];
/// let mut roots = RootCertStore::empty();
/// roots.add_parsable_certificates(my_certificates);
/// let tls = tls_config().with_root_certificates(roots).with_no_client_auth();
/// let client = Client::configured(Api::new(BaseUrl::STAGING), Deadlines::new(), |builder| {
///     builder.tls_backend_preconfigured(tls)
/// })?;
/// # Ok::<(), usage_reqwest::ClientError>(())
/// ```
#[must_use]
pub fn tls_config() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    builder(provider())
}

/// What a client starts from: ring, and the certificate verifier of the platform.
pub(crate) fn default_config() -> ClientConfig {
    let provider = provider();
    let verifier = Platform { provider: Arc::clone(&provider), verifier: OnceLock::new() };
    let mut config = builder(provider)
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// The certificates of the platform could not be read: there are none, or they are not readable.
#[derive(Debug, thiserror::Error)]
#[error("this host has no usable certificate authorities: install them, or set SSL_CERT_FILE")]
pub(crate) struct NoAuthorities(#[source] Error);

fn provider() -> Arc<CryptoProvider> {
    Arc::new(crypto::ring::default_provider())
}

#[expect(clippy::expect_used, reason = "ring has cipher suites for TLS 1.2 and 1.3")]
fn builder(provider: Arc<CryptoProvider>) -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let builder = ClientConfig::builder_with_provider(provider);
    builder.with_safe_default_protocol_versions().expect("ring has both versions")
}

/// The platform's verifier, made when the first certificate has to be verified: a client for
/// `http` reads none, and a host without any fails at the save and not before.
#[derive(Debug)]
struct Platform {
    provider: Arc<CryptoProvider>,
    /// Empty until it could be made once.
    verifier: OnceLock<Verifier>,
}

impl Platform {
    fn verifier(&self) -> Result<&Verifier, Error> {
        if let Some(verifier) = self.verifier.get() {
            return Ok(verifier);
        }
        let verifier = Verifier::new(Arc::clone(&self.provider))
            .map_err(|error| Error::Other(OtherError(Arc::new(NoAuthorities(error)))))?;
        Ok(self.verifier.get_or_init(|| verifier))
    }
}

impl ServerCertVerifier for Platform {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.verifier()?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
