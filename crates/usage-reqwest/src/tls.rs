//! TLS: rustls with ring, and the platform's verifier.

use std::{error::Error as StdError, sync::Arc};

use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
use rustls::pki_types::InvalidDnsNameError;
use rustls::{ClientConfig, ConfigBuilder, Error, RootCertStore, WantsVerifier, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt as _;
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
/// let client = Client::configured(Api::new(BaseUrl::STAGING), Deadlines::new(), move |builder| {
///     builder.tls_backend_preconfigured(tls.clone())
/// })?;
/// # Ok::<(), usage_proto::InvalidProxy>(())
/// ```
#[must_use]
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "ring has both versions")]
pub fn tls_config() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    builder.with_safe_default_protocol_versions().expect("ring has both versions")
}

/// What reqwest's client starts from. For `https` this reads the certificates of the platform.
pub(crate) fn config(https: bool) -> Result<ClientConfig, TransportError> {
    let builder = if https {
        tls_config().with_platform_verifier().map_err(TransportError::no_authorities)?
    } else {
        tls_config().with_root_certificates(RootCertStore::empty())
    };
    Ok(builder.with_no_client_auth())
}

/// Whether another try would come to the same, if `cause` is an error of TLS: so it is with a
/// certificate, unless this host's clock is what speaks against it.
pub(crate) fn refused_for_good(cause: &(dyn StdError + 'static)) -> Option<bool> {
    match cause.downcast_ref() {
        None => cause.is::<InvalidDnsNameError>().then_some(true),
        Some(Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
        )) => Some(false),
        Some(error) => Some(matches!(error, Error::InvalidCertificate(_))),
    }
}
