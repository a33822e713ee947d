//! Connections to `PostgreSQL`: pooled, healed, and waited for within bounds.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::Failed;

/// How many connections there are at most for each store.
const MOST: usize = 8;

/// How long a connection may take to be there, and how long a free one is awaited.
const CONNECT: Duration = Duration::from_secs(5);

/// How long what was sent may stay unconfirmed, until the other end is taken for gone.
const SILENCE: Duration = Duration::from_secs(30);

/// A pool of connections. One that was lost is replaced when the next is wanted.
pub(super) fn pool(config: &Config) -> Result<Pool, Failed> {
    let mut config = config.clone();
    config.connect_timeout(CONNECT).tcp_user_timeout(SILENCE).keepalives_idle(SILENCE);
    if config.get_application_name().is_none() {
        config.application_name("usage-server");
    }
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, tls()?, manager);
    let wait = Some(CONNECT);
    let timeouts = Timeouts { wait, create: wait, recycle: wait };
    Pool::builder(manager)
        .max_size(MOST)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| Failed::Other(error.to_string()))
}

pub(super) async fn connection(pool: &Pool) -> Result<Object, Failed> {
    pool.get().await.map_err(Failed::from)
}

/// Certificates are checked as the platform does it.
fn tls() -> Result<MakeRustlsConnect, Failed> {
    let other = |error: rustls::Error| Failed::Other(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(other)?
        .with_platform_verifier()
        .map_err(other)?
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
