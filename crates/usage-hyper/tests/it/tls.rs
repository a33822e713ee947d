//! TLS by a configuration of the application's own; by that of the platform it is in the suite.

use std::io::Write;
use std::sync::{Arc, Mutex};

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ServerConfig};
use testkit::outcome::{Outcome, in_vain, saved, sent, unsent};
use testkit::samples::{CREATED, api};
use testkit::scripted::{Script, ScriptedServer};
use testkit::tls::{self, Authority, provider};
use usage_hyper::{Client, Config, tls_config};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::{Interrupted, Protocol, Tls};

use crate::races::{resetting, unnoticed};
use crate::save;

fn with_tls(url: &str, tls: ClientConfig) -> Client {
    Client::configured(api(url), Deadlines::new(), Config::new().tls(tls)).unwrap()
}

/// A client that trusts this authority and no other.
fn trusting(authority: &Authority, url: &str) -> Client {
    let tls = tls_config().with_root_certificates(authority.roots()).with_no_client_auth();
    with_tls(url, tls)
}

#[tokio::test]
async fn the_applications_own_authority_is_trusted_and_no_other() {
    let authority = Authority::new();
    let server = tls::answering(authority.server("localhost"), CREATED);
    assert_eq!(save(&trusting(&authority, &tls::url(&server))).await, saved(201, "{}"));
    let server = tls::answering(Authority::new().server("localhost"), CREATED);
    assert_eq!(save(&trusting(&authority, &tls::url(&server))).await, in_vain(Tls));
}

#[tokio::test]
async fn a_host_that_can_be_in_no_certificate_is_tls_and_not_retried() {
    let server = ScriptedServer::start([Script::new().hold()]);
    let client = trusting(&Authority::new(), "https://localhost");
    let uri = format!("https://127.1:{}/", server.port());
    let request = http::Request::post(uri).body(bytes::Bytes::new()).unwrap();
    let error = client.execute(request).await.unwrap_err();
    assert_eq!(Outcome::unanswered(&error), in_vain(Tls));
}

#[tokio::test]
async fn a_reset_that_overtakes_the_connect_is_tls_too() {
    let (server, reset) = resetting();
    let url = format!("https://127.0.0.1:{}", server.port());
    let client = trusting(&Authority::new(), &url);
    assert_eq!(unnoticed(save(&client), &reset).await, unsent(Tls));
}

#[tokio::test]
async fn what_comes_before_the_request_is_protocol() {
    let authority = Authority::new();
    let mut config = Arc::unwrap_or_clone(authority.server("localhost"));
    // It speaks together with the handshake, so it is heard before the request is written.
    config.send_half_rtt_data = true;
    let server = tls::serve(Arc::new(config), |mut connection| {
        connection.stream.conn.writer().write_all(b"220 mail.example ESMTP\r\n").unwrap();
        connection.hang();
    });
    assert_eq!(save(&trusting(&authority, &tls::url(&server))).await.as_sent(), sent(Protocol));
}

#[tokio::test]
async fn a_certificate_of_the_clients_own_is_shown() {
    let authority = Authority::new();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(authority.roots().into(), provider());
    let (chain, key) = authority.identity("localhost");
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    let server = tls::answering(Arc::new(config), CREATED);

    let (chain, key) = authority.identity("client.example");
    let tls = tls_config().with_root_certificates(authority.roots());
    let tls = tls.with_client_auth_cert(chain, key).unwrap();
    assert_eq!(save(&with_tls(&tls::url(&server), tls)).await, saved(201, "{}"));

    // Without one. The handshake is over by then for the client, and the request is on its way.
    assert_eq!(save(&trusting(&authority, &tls::url(&server))).await.as_sent(), sent(Interrupted));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn no_protocol_is_offered_that_is_not_spoken() {
    let authority = Authority::new();
    let mut config = Arc::unwrap_or_clone(authority.server("localhost"));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let chosen = Arc::new(Mutex::new(Vec::new()));
    let server = tls::serve(Arc::new(config), {
        let chosen = Arc::clone(&chosen);
        move |mut connection| {
            connection.request();
            chosen.lock().unwrap().push(connection.stream.conn.alpn_protocol().map(<[u8]>::to_vec));
            connection.send(CREATED);
        }
    });
    let mut tls = tls_config().with_root_certificates(authority.roots()).with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    assert_eq!(save(&with_tls(&tls::url(&server), tls)).await, saved(201, "{}"));
    assert_eq!(*chosen.lock().unwrap(), [None]);
}
