//! TLS by ureq's own settings; by those of the platform it is in the suite.

use rcgen::{CertificateParams, KeyPair};
use testkit::outcome::{in_vain, saved};
use testkit::samples::{CREATED, api};
use testkit::tls::{self, Authority};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::Tls;
use usage_ureq::ureq::config::ConfigBuilder;
use usage_ureq::ureq::tls::{
    Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider,
};
use usage_ureq::{Client, ClientError, tls_config};

use crate::save;

#[test]
fn the_applications_own_authority_is_trusted_and_no_other() {
    let authority = Authority::new();
    let roots =
        RootCerts::new_with_certs(&[Certificate::from_der(&authority.certificate()).to_owned()]);
    let server = tls::answering(authority.server("localhost"), CREATED);
    let client = configured(&tls::url(&server), tls_config().root_certs(roots.clone()).build());
    assert_eq!(save(&client.unwrap()), saved(201, "{}"));

    let server = tls::answering(Authority::new().server("localhost"), CREATED);
    let client = configured(&tls::url(&server), tls_config().root_certs(roots).build());
    assert_eq!(save(&client.unwrap()), in_vain(Tls));
}

fn configured(url: &str, tls: TlsConfig) -> Result<Client, ClientError> {
    let configure = |builder: ConfigBuilder<_>| builder.tls_config(tls);
    Client::configured(api(url), Deadlines::new(), configure)
}

#[test]
fn a_tls_configuration_that_cannot_work_is_refused_at_construction() {
    let (one, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = CertificateParams::new([]).unwrap().self_signed(&one).unwrap();
    let certificate = [Certificate::from_der(certificate.der()).to_owned()];
    let identity = |pem: &str| {
        let key = PrivateKey::from_pem(pem.as_bytes()).unwrap();
        Some(ClientCert::new_with_certs(&certificate, key))
    };
    let nonsense = "-----BEGIN PRIVATE KEY-----\nbm9uc2Vuc2U=\n-----END PRIVATE KEY-----\n";
    for (tls, advice) in [
        (TlsConfig::builder(), "usage_ureq::tls_config()"),
        (tls_config().root_certs(RootCerts::WebPki), "RootCerts::PlatformVerifier"),
        (tls_config().provider(TlsProvider::NativeTls), "leave its provider"),
        (tls_config().client_cert(identity(&other.serialize_pem())), "check both files"),
        (tls_config().client_cert(identity(nonsense)), "check both files"),
    ] {
        let error = configured("https://localhost", tls.build()).unwrap_err();
        assert!(matches!(error, ClientError::Tls { .. }), "{error:?}");
        assert!(error.to_string().contains(advice), "{error}");
    }
    let tls = tls_config().client_cert(identity(&one.serialize_pem())).build();
    configured("https://localhost", tls).unwrap();
}
