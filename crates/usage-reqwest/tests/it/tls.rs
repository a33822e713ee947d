//! TLS by a configuration of the application's own; by that of the platform it is in the suite.

use testkit::outcome::{in_vain, saved};
use testkit::samples::{CREATED, api};
use testkit::tls::{self, Authority};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::Tls;
use usage_reqwest::Client;
use usage_reqwest::reqwest::ClientBuilder;

use crate::save;

/// A client that trusts this authority and no other.
fn client(authority: &Authority, url: &str) -> Client {
    let tls = crate::trusting(authority.roots());
    let configure = move |builder: ClientBuilder| builder.tls_backend_preconfigured(tls.clone());
    Client::configured(api(url), Deadlines::new(), configure).unwrap()
}

#[tokio::test]
async fn the_applications_own_authority_is_trusted_and_no_other() {
    let authority = Authority::new();
    let server = tls::answering(authority.server("localhost"), CREATED);
    assert_eq!(save(&client(&authority, &tls::url(&server))).await, saved(201, "{}"));
    let server = tls::answering(Authority::new().server("localhost"), CREATED);
    assert_eq!(save(&client(&authority, &tls::url(&server))).await, in_vain(Tls));
}

#[tokio::test]
async fn w44_a_host_that_can_be_in_no_certificate_is_tls_and_not_retried() {
    let client = client(&Authority::new(), "https://exclamation!mark.invalid");
    assert_eq!(save(&client).await, in_vain(Tls));
}
