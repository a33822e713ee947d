//! TLS with certificates that are made here.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use usage_hyper::{Client, tls_config};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::{Interrupted, Protocol, Timeout, Tls};

use crate::no_answer::{resetting, unnoticed};
use crate::server::{Connection, Server};
use crate::{CREATED, PATIENCE, SHORT, TOKEN, api, child, client, expect, unanswered, usage};

/// A certificate authority that nobody knows.
struct Authority(CertifiedIssuer<'static, KeyPair>);

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Two authorities of one name would be one with a wrong signature.
        let name = format!("{:x?}", &key.public_key_raw()[..9]);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (vec![certificate.der().clone()], key)
    }

    fn identity(&self, name: &str) -> Identity {
        self.sign(&CertificateParams::new([name.to_owned()]).unwrap())
    }

    /// A server's side with a certificate for `name`.
    fn server(&self, name: &str) -> Arc<ServerConfig> {
        server(self.identity(name), rustls::ALL_VERSIONS)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    /// A client that trusts this authority and no other.
    fn client(&self, url: &str) -> Client {
        self.client_within(url, Deadlines::new().total(PATIENCE))
    }

    fn client_within(&self, url: &str, deadlines: Deadlines) -> Client {
        let tls = tls_config().with_root_certificates(self.roots()).with_no_client_auth();
        with_tls(url, deadlines, tls)
    }

    /// The authority in a file, as the variable `SSL_CERT_FILE` names it.
    fn file(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.0.pem()).unwrap();
        file
    }
}

fn with_tls(url: &str, deadlines: Deadlines, tls: ClientConfig) -> Client {
    Client::configured_with_tls(api(url), deadlines, tls, |builder| builder).unwrap()
}

fn server(
    (chain, key): Identity,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

type TlsConnection = Connection<StreamOwned<ServerConnection, TcpStream>>;

fn serve(
    config: Arc<ServerConfig>,
    script: impl Fn(TlsConnection) + Send + Sync + 'static,
) -> Server {
    Server::start(move |connection| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        script(connection.map(|stream| StreamOwned::new(session, stream)));
    })
}

fn answer(mut connection: TlsConnection) {
    while connection.request().is_some() {
        connection.send(CREATED);
    }
}

fn url(server: &Server) -> String {
    format!("https://localhost:{}", server.port())
}

#[tokio::test]
async fn w42_saves_over_tls_use_one_connection() {
    for versions in [&[&rustls::version::TLS13], &[&rustls::version::TLS12]] {
        let authority = Authority::new();
        let server = serve(server(authority.identity("localhost"), versions), answer);
        let client = authority.client(&url(&server));
        for _ in 0..50 {
            client.save(&usage()).await.unwrap();
        }
        assert_eq!(server.requests().len(), 50);
        assert_eq!(server.connections(), 1);
        assert!(server.requests()[49].head.contains(TOKEN));
    }
}

#[tokio::test]
async fn addresses_have_certificates_too() {
    let authority = Authority::new();
    let server = serve(authority.server("127.0.0.1"), answer);
    let url = format!("https://127.0.0.1:{}", server.port());
    authority.client(&url).save(&usage()).await.unwrap();
}

#[tokio::test]
async fn a_private_authority_is_trusted_through_ssl_cert_file() {
    if child::is_here() {
        client(&std::env::var("TEST_URL").unwrap()).save(&usage()).await.unwrap();
        // Nor is a provider for the process left behind.
        assert!(CryptoProvider::get_default().is_none());
        return;
    }
    let authority = Authority::new();
    let server = serve(authority.server("localhost"), answer);
    let file = authority.file();
    child::run(
        "tls::a_private_authority_is_trusted_through_ssl_cert_file",
        &[("TEST_URL", &url(&server)), ("SSL_CERT_FILE", file.path().to_str().unwrap())],
    );
}

#[tokio::test]
async fn w44_a_certificate_that_is_not_accepted_is_tls_and_not_retried() {
    let authority = Authority::new();
    let good = authority.server("localhost");
    let wrong_name = authority.server("elsewhere.example");
    let mut expired = CertificateParams::new(["localhost".to_owned()]).unwrap();
    expired.not_after = date_time_ymd(2020, 1, 1);
    let expired = server(authority.sign(&expired), rustls::ALL_VERSIONS);
    let another = Authority::new();

    for (config, trusted, reason) in [
        (good, &another, "UnknownIssuer"),
        (wrong_name, &authority, "not valid for name"),
        (expired, &authority, "expired"),
    ] {
        let server = serve(config, answer);
        let error = unanswered(trusted.client(&url(&server)).save(&usage()).await);
        expect(&error, Tls, false, false);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(reason), "{source}");
        assert_eq!(server.requests().len(), 0);
    }
}

#[tokio::test]
async fn a_host_that_can_be_in_no_certificate_is_tls_and_not_retried() {
    let server = Server::start(Connection::hang);
    let client = Authority::new().client("https://localhost");
    let uri = format!("https://127.1:{}/", server.port());
    let request = http::Request::post(uri).body(bytes::Bytes::new()).unwrap();
    let error = client.execute(request).await.unwrap_err();
    expect(&error, Tls, false, false);
}

#[tokio::test]
async fn a_handshake_that_ends_early_is_tls() {
    let authority = Authority::new();
    let scripts: [fn(Connection); 4] = [
        drop,
        Connection::reset,
        // Within the client's first message.
        |mut connection| drop(connection.stream.read(&mut [0; 64])),
        |mut connection| {
            let _ = connection.stream.read(&mut [0; 64]);
            connection.reset();
        },
    ];
    for script in scripts {
        let server = Server::start(script);
        let error = unanswered(authority.client(&url(&server)).save(&usage()).await);
        expect(&error, Tls, false, true);
    }
}

#[tokio::test]
async fn a_reset_that_overtakes_the_connect_is_tls_too() {
    let (server, reset) = resetting();
    let client = Authority::new().client(&format!("https://127.0.0.1:{}", server.port()));
    expect(&unanswered(unnoticed(client.save(&usage()), &reset).await), Tls, false, true);
}

#[tokio::test]
async fn plain_http_on_the_port_is_tls() {
    let server = Server::start(|mut connection| {
        connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        connection.hang();
    });
    let error = unanswered(Authority::new().client(&url(&server)).save(&usage()).await);
    expect(&error, Tls, false, true);
}

#[tokio::test]
async fn w41_a_handshake_that_hangs_ends_with_the_connect_deadline() {
    let server = Server::start(Connection::hang);
    for deadlines in [
        Deadlines::new().total(PATIENCE).connect(SHORT),
        Deadlines::new().total(SHORT).connect(PATIENCE),
    ] {
        let client = Authority::new().client_within(&url(&server), deadlines);
        expect(&unanswered(client.save(&usage()).await), Timeout, false, true);
    }
}

#[tokio::test]
async fn what_comes_before_the_request_is_protocol() {
    let authority = Authority::new();
    let mut config = Arc::unwrap_or_clone(authority.server("localhost"));
    // It speaks together with the handshake, so it is heard before the request is written.
    config.send_half_rtt_data = true;
    let server = serve(Arc::new(config), |mut connection| {
        connection.stream.conn.writer().write_all(b"220 mail.example ESMTP\r\n").unwrap();
        connection.hang();
    });
    let error = unanswered(authority.client(&url(&server)).save(&usage()).await);
    expect(&error, Protocol, true, true);
}

#[tokio::test]
async fn an_end_after_the_handshake_is_interrupted() {
    let authority = Authority::new();
    let server = serve(authority.server("localhost"), |mut connection| {
        connection.request();
    });
    let error = unanswered(authority.client(&url(&server)).save(&usage()).await);
    expect(&error, Interrupted, true, true);
}

#[tokio::test]
async fn w46_a_body_that_ends_without_a_farewell_is_incomplete() {
    let authority = Authority::new();
    let server = serve(authority.server("localhost"), |mut connection| {
        connection.request();
        connection.send("HTTP/1.1 201 Created\r\n\r\n{}");
    });
    let saved = authority.client(&url(&server)).save(&usage()).await.unwrap();
    assert!(!saved.is_complete());
    assert_eq!(&saved.body()[..], b"{}");
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
    let server = serve(Arc::new(config), answer);

    let (chain, key) = authority.identity("client.example");
    let tls = tls_config().with_root_certificates(authority.roots());
    let tls = tls.with_client_auth_cert(chain, key).unwrap();
    with_tls(&url(&server), Deadlines::new(), tls).save(&usage()).await.unwrap();

    // Without one. The handshake is over by then for the client, and the request is on its way.
    let error = unanswered(authority.client(&url(&server)).save(&usage()).await);
    expect(&error, Interrupted, true, true);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn no_protocol_is_offered_that_is_not_spoken() {
    let authority = Authority::new();
    let mut config = Arc::unwrap_or_clone(authority.server("localhost"));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let chosen = Arc::new(Mutex::new(Vec::new()));
    let server = serve(Arc::new(config), {
        let chosen = Arc::clone(&chosen);
        move |mut connection| {
            connection.request();
            chosen.lock().unwrap().push(connection.stream.conn.alpn_protocol().map(<[u8]>::to_vec));
            connection.send(CREATED);
        }
    });
    let mut tls = tls_config().with_root_certificates(authority.roots()).with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    with_tls(&url(&server), Deadlines::new(), tls).save(&usage()).await.unwrap();
    assert_eq!(*chosen.lock().unwrap(), [None]);
}

#[tokio::test]
async fn a_host_without_any_authority_fails_for_https_alone() {
    if child::is_here() {
        let plain = Server::answering(CREATED);
        client(&plain.url()).save(&usage()).await.unwrap();
        let server = serve(Authority::new().server("localhost"), answer);
        let client = client(&url(&server));
        for _ in 0..2 {
            let error = unanswered(client.save(&usage()).await);
            expect(&error, Tls, false, false);
            let advice = std::error::Error::source(&error).unwrap().to_string();
            assert!(advice.contains("SSL_CERT_FILE"), "{advice}");
        }
        return;
    }
    let nothing = tempfile::tempdir().unwrap();
    let directory = nothing.path().to_str().unwrap();
    child::run(
        "tls::a_host_without_any_authority_fails_for_https_alone",
        &[("SSL_CERT_FILE", &format!("{directory}/none")), ("SSL_CERT_DIR", directory)],
    );
}

#[tokio::test]
async fn a_tunnel_through_a_proxy_leads_to_the_api() {
    if child::is_here() {
        let client = client(&std::env::var("TEST_URL").unwrap());
        for _ in 0..3 {
            client.save(&usage()).await.unwrap();
        }
        return;
    }
    for (name, host) in [("usage.example", "usage.example"), ("2001:db8::1", "[2001:db8::1]")] {
        let authority = Authority::new();
        let server = serve(authority.server(name), answer);
        let port = server.port();
        let proxy = Server::start(move |connection| tunnel(connection, port));
        let proxy_url = format!("http://user:secret@127.0.0.1:{}", proxy.port());
        let file = authority.file();
        child::run(
            "tls::a_tunnel_through_a_proxy_leads_to_the_api",
            &[
                ("TEST_URL", &format!("https://{host}:8443")),
                ("https_proxy", &proxy_url),
                ("SSL_CERT_FILE", file.path().to_str().unwrap()),
            ],
        );
        assert_eq!(proxy.connections(), 1);
        let [asked] = &proxy.requests()[..] else { panic!("one request") };
        let line = format!("CONNECT {host}:8443 HTTP/1.1\r\n");
        assert!(asked.head.starts_with(&line), "{}", asked.head);
        assert!(!asked.head.contains(TOKEN), "{}", asked.head);
        assert_eq!(server.requests().len(), 3);
        for request in server.requests() {
            assert!(request.head.starts_with("POST /api/v1/usage/influxdb HTTP/1.1\r\n"));
            assert!(request.head.contains(&format!("\r\nhost: {host}:8443\r\n")));
            assert_eq!(request.head.matches(TOKEN).count(), 1);
            assert!(!request.head.contains("proxy-authorization"), "{}", request.head);
        }
    }
}

/// A proxy that makes a tunnel to a port of this machine, wherever it was to lead.
fn tunnel(mut connection: Connection, port: u16) {
    connection.request();
    connection.send("HTTP/1.1 200 Connected\r\nVia: test\r\n\r\n");
    let there = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let here = connection.stream;
    thread::scope(|scope| {
        scope.spawn(|| io::copy(&mut &here, &mut &there));
        let _ = io::copy(&mut &there, &mut &here);
    });
}
