//! TLS with certificates that are made here.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use usage_proto::TransportErrorKind::{self, Interrupted, Timeout, Tls};
use usage_proto::{Deadlines, TransportError};
use usage_reqwest::reqwest::ClientBuilder;
use usage_reqwest::{Client, tls_config};

use crate::server::{Connection, Server};
use crate::{AGES, CREATED, PATIENCE, SHORT, TOKEN, api, child, client, soon, unanswered, usage};

/// A certificate authority that nobody knows.
struct Authority(CertifiedIssuer<'static, KeyPair>);

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

    /// A server's side with a certificate for `name`.
    fn server_for(&self, name: &str) -> Arc<ServerConfig> {
        self.server(&CertificateParams::new([name.to_owned()]).unwrap(), rustls::ALL_VERSIONS)
    }

    fn server(
        &self,
        params: &CertificateParams,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }

    /// A client that trusts this authority and no other.
    fn client(&self, url: &str) -> Client {
        self.client_within(url, Deadlines::new().total(PATIENCE))
    }

    fn client_within(&self, url: &str, deadlines: Deadlines) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let tls = tls_config().with_root_certificates(roots).with_no_client_auth();
        let configure = |builder: ClientBuilder| builder.tls_backend_preconfigured(tls);
        Client::configured(api(url), deadlines, configure).unwrap()
    }

    /// The authority in a file, as the variable `SSL_CERT_FILE` names it.
    fn file(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.0.pem()).unwrap();
        file
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
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

#[track_caller]
fn expect(error: &TransportError, kind: TransportErrorKind, sent: bool, retryable: bool) {
    let found = (error.kind(), error.may_have_been_sent(), error.is_retryable());
    assert_eq!(found, (kind, sent, retryable), "{error:?}");
}

/// The texts of all that is below an error.
fn chain(error: &TransportError) -> String {
    let first = std::error::Error::source(error);
    let texts = std::iter::successors(first, |error| error.source()).map(ToString::to_string);
    texts.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn w42_saves_over_tls_use_one_connection() {
    for versions in [&[&rustls::version::TLS13], &[&rustls::version::TLS12]] {
        let authority = Authority::new();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let server = serve(authority.server(&params, versions), answer);
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
async fn a_private_authority_is_trusted_through_ssl_cert_file() {
    if child::is_here() {
        client(&std::env::var("TEST_URL").unwrap()).save(&usage()).await.unwrap();
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
        return;
    }
    let authority = Authority::new();
    let server = serve(authority.server_for("localhost"), answer);
    let file = authority.file();
    child::run(
        "tls::a_private_authority_is_trusted_through_ssl_cert_file",
        &[("TEST_URL", &url(&server)), ("SSL_CERT_FILE", file.path().to_str().unwrap())],
    );
}

#[tokio::test]
async fn w44_a_certificate_that_is_not_accepted_is_tls_and_not_retried() {
    let authority = Authority::new();
    let good = authority.server_for("localhost");
    let wrong_name = authority.server_for("elsewhere.example");
    let mut expired = CertificateParams::new(["localhost".to_owned()]).unwrap();
    expired.not_after = date_time_ymd(2020, 1, 1);
    let expired = authority.server(&expired, rustls::ALL_VERSIONS);
    let another = Authority::new();

    for (config, trusted, reason) in [
        (good, &another, "UnknownIssuer"),
        (wrong_name, &authority, "not valid for name"),
        (expired, &authority, "expired"),
    ] {
        let server = serve(config, answer);
        let error = unanswered(trusted.client(&url(&server)).save(&usage()).await);
        expect(&error, Tls, false, false);
        assert!(chain(&error).contains(reason), "{}", chain(&error));
        assert_eq!(server.requests().len(), 0);
    }
}

#[tokio::test]
async fn addresses_have_certificates_too() {
    let authority = Authority::new();
    let server = serve(authority.server_for("127.0.0.1"), answer);
    let url = format!("https://127.0.0.1:{}", server.port());
    authority.client(&url).save(&usage()).await.unwrap();
}

#[tokio::test]
async fn w44_a_host_that_can_be_in_no_certificate_is_tls_and_not_retried() {
    let client = Authority::new().client("https://exclamation!mark.invalid");
    expect(&unanswered(client.save(&usage()).await), Tls, false, false);
}

#[tokio::test]
async fn a_handshake_that_ends_early_is_tls() {
    let authority = Authority::new();
    let scripts: [fn(Connection); 5] = [
        drop,
        Connection::reset,
        |mut connection| {
            // After the client's first message.
            let _ = io::Read::read(&mut connection.stream, &mut [0; 0x4000]);
        },
        |mut connection| {
            // Within it.
            let _ = io::Read::read(&mut connection.stream, &mut [0; 64]);
        },
        |mut connection| {
            let _ = io::Read::read(&mut connection.stream, &mut [0; 64]);
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
    for deadlines in
        [Deadlines::new().total(AGES).connect(SHORT), Deadlines::new().total(SHORT).connect(AGES)]
    {
        let client = Authority::new().client_within(&url(&server), deadlines);
        expect(&unanswered(soon(client.save(&usage())).await), Timeout, false, true);
    }
}

#[tokio::test]
async fn an_end_after_the_handshake_is_interrupted() {
    let authority = Authority::new();
    let server = serve(authority.server_for("localhost"), |mut connection| {
        connection.request();
    });
    let error = unanswered(authority.client(&url(&server)).save(&usage()).await);
    expect(&error, Interrupted, true, true);
}

#[tokio::test]
async fn w46_a_body_that_ends_without_a_farewell_is_incomplete() {
    let authority = Authority::new();
    let server = serve(authority.server_for("localhost"), |mut connection| {
        connection.request();
        connection.send("HTTP/1.1 201 Created\r\n\r\n{}");
    });
    let saved = authority.client(&url(&server)).save(&usage()).await.unwrap();
    assert!(!saved.is_complete());
    assert_eq!(&saved.body()[..], b"{}");
}

#[tokio::test]
async fn a_host_without_any_authority_fails_for_https_alone() {
    if child::is_here() {
        let plain = Server::answering(CREATED);
        client(&plain.url()).save(&usage()).await.unwrap();
        let server = serve(Authority::new().server_for("localhost"), answer);
        let client = client(&url(&server));
        for _ in 0..2 {
            let error = unanswered(client.save(&usage()).await);
            expect(&error, Tls, false, false);
            assert!(chain(&error).contains("SSL_CERT_FILE"), "{}", chain(&error));
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
        let client = client("https://usage.example:8443");
        for _ in 0..3 {
            client.save(&usage()).await.unwrap();
        }
        return;
    }
    let authority = Authority::new();
    let server = serve(authority.server_for("usage.example"), answer);
    let port = server.port();
    let proxy = Server::start(move |mut connection| {
        connection.request();
        connection.send("HTTP/1.1 200 Connected\r\nVia: test\r\n\r\n");
        let there = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let here = connection.stream;
        thread::scope(|scope| {
            scope.spawn(|| io::copy(&mut &here, &mut &there));
            let _ = io::copy(&mut &there, &mut &here);
        });
    });
    let file = authority.file();
    child::run(
        "tls::a_tunnel_through_a_proxy_leads_to_the_api",
        &[("https_proxy", &proxy.url()), ("SSL_CERT_FILE", file.path().to_str().unwrap())],
    );
    assert_eq!(proxy.connections(), 1);
    let [tunnel] = &proxy.requests()[..] else { panic!("one request") };
    assert!(tunnel.head.starts_with("CONNECT usage.example:8443 HTTP/1.1\r\n"), "{}", tunnel.head);
    assert!(!tunnel.head.contains(TOKEN), "{}", tunnel.head);
    assert_eq!(server.requests().len(), 3);
    for request in server.requests() {
        assert!(request.head.starts_with("POST /api/v1/usage/influxdb HTTP/1.1\r\n"));
        assert_eq!(request.head.matches(TOKEN).count(), 1);
    }
}
