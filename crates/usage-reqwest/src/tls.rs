//! TLS: rustls with ring, and the platform's verifier.

use std::{error::Error as StdError, sync::Arc};

use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
use rustls::pki_types::InvalidDnsNameError;
use rustls::{ClientConfig, Error, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt as _;
use usage_proto::TransportError;

/// What reqwest's client starts from. For `https` this reads the certificates of the platform.
pub(crate) fn config(https: bool) -> Result<ClientConfig, TransportError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(TransportError::tls)?;
    if https {
        let builder = builder.with_platform_verifier().map_err(TransportError::no_authorities)?;
        return Ok(builder.with_no_client_auth());
    }
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
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
