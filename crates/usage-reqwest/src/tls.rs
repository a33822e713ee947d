//! TLS: rustls with ring, and the platform's verifier.

use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, OtherError,
    SignatureScheme, WantsVerifier,
};
use rustls_platform_verifier::Verifier;
use usage_proto::TransportError;

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
#[expect(clippy::expect_used, reason = "ring has cipher suites for TLS 1.2 and 1.3")]
pub fn tls_config() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has both versions")
}

/// What a client starts from: ring, and the certificate verifier of the platform.
pub(crate) fn default_config() -> ClientConfig {
    let builder = tls_config();
    let provider = Arc::clone(builder.crypto_provider());
    let verifier = Arc::new(Platform { provider, made: OnceLock::new() });
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// What `cause` makes of an error that it stands behind, if it is one of TLS.
pub(crate) fn fault(
    cause: &(dyn StdError + 'static),
) -> Option<fn(reqwest::Error) -> TransportError> {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};

    if cause.is::<InvalidDnsNameError>() {
        return Some(|error| TransportError::certificate(error));
    }
    Some(match cause.downcast_ref()? {
        Error::Other(other) if other.0.is::<NoAuthorities>() => {
            |error| TransportError::no_authorities(error)
        }
        // By this host's clock, which may be wrong.
        Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
        ) => |error| TransportError::tls(error),
        Error::InvalidCertificate(_) => |error| TransportError::certificate(error),
        _ => |error| TransportError::tls(error),
    })
}

/// The certificates of the platform could not be read: there are none, or they are not readable.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoAuthorities(Error);

/// The platform's verifier, made when the first certificate has to be verified: a client for
/// `http` reads none, and a host without any fails at the save and not before.
#[derive(Debug)]
struct Platform {
    provider: Arc<CryptoProvider>,
    /// Empty until it could be made once.
    made: OnceLock<Verifier>,
}

impl Platform {
    fn verifier(&self) -> Result<&Verifier, Error> {
        if let Some(verifier) = self.made.get() {
            return Ok(verifier);
        }
        let verifier = Verifier::new(Arc::clone(&self.provider))
            .map_err(|error| Error::Other(OtherError(Arc::new(NoAuthorities(error)))))?;
        Ok(self.made.get_or_init(|| verifier))
    }
}

impl ServerCertVerifier for Platform {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
