//! TLS with certificates that are made on the spot.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;

use bytes::Bytes;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

use crate::scripted::{Connection, ScriptedServer, Socket};

/// The server's end of a TLS session.
pub type TlsConnection = Connection<StreamOwned<ServerConnection, Socket>>;

/// A certificate and its key.
pub type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A certificate authority that nobody knows.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Makes one, with a name of its own: two authorities of one name would be one with a wrong
    /// signature.
    ///
    /// # Panics
    ///
    /// If there is no randomness for a key.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let name = format!("{:x?}", &key.public_key_raw()[..9]);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// A certificate for a host.
    #[must_use]
    pub fn identity(&self, host: &str) -> Identity {
        self.sign(&params(host))
    }

    /// A certificate for a host whose time is over.
    #[must_use]
    pub fn expired(&self, host: &str) -> Identity {
        let mut params = params(host);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(&params)
    }

    /// A certificate for a host whose time has not begun.
    #[must_use]
    pub fn not_yet_valid(&self, host: &str) -> Identity {
        let mut params = params(host);
        params.not_before = date_time_ymd(4000, 1, 1);
        params.not_after = date_time_ymd(4001, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (vec![certificate.der().clone()], key)
    }

    /// A server's side with a certificate for a host.
    #[must_use]
    pub fn server(&self, host: &str) -> Arc<ServerConfig> {
        server(self.identity(host), rustls::ALL_VERSIONS)
    }

    /// The certificate of the authority itself.
    #[must_use]
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// For a client that trusts this authority and no other.
    ///
    /// # Panics
    ///
    /// Never: the certificate is one.
    #[must_use]
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate()).unwrap();
        roots
    }

    /// The authority in a file, as the variable `SSL_CERT_FILE` names it.
    ///
    /// # Panics
    ///
    /// If there can be no temporary file.
    #[must_use]
    pub fn file(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.pem()).unwrap();
        file
    }

    /// What stands in such a file.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).unwrap()
}

/// A server's side with this certificate and these versions of TLS.
///
/// # Panics
///
/// If the two do not go together.
#[must_use]
pub fn server(
    (chain, key): Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

/// The provider of both ends; none is installed for the process.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Listens on a free port of loopback and hands each TLS session to `act`.
///
/// # Panics
///
/// If there is no port.
pub fn serve(
    config: Arc<ServerConfig>,
    act: impl Fn(TlsConnection) + Send + Sync + 'static,
) -> ScriptedServer {
    ScriptedServer::run(move |connection| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        act(connection.map(|socket| StreamOwned::new(session, socket)));
    })
}

/// Gives this answer to every request, and keeps the connection.
pub fn answering(config: Arc<ServerConfig>, answer: impl Into<Bytes>) -> ScriptedServer {
    let answer = answer.into();
    serve(config, move |mut connection| {
        while connection.request().is_some() {
            connection.send(&answer);
        }
    })
}

/// Ends a session without the farewell of TLS, but so that what was sent arrives.
pub fn leave(mut connection: TlsConnection) {
    let _ = connection.stream.sock.both_ways().shutdown(Shutdown::Write);
    let _ = io::copy(&mut connection.stream.sock, &mut io::sink());
}

/// The server's address as an `https` URL with a name in it.
#[must_use]
pub fn url(server: &ScriptedServer) -> String {
    format!("https://localhost:{}", server.port())
}
