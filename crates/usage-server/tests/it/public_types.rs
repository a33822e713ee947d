//! What every public type can be used for.

use usage_server::{
    Config, Database, FailRule, Faults, InvalidFailRule, InvalidFault, InvalidKind, Kind, Metrics,
    RequestLog, Rows, Selection, Server, ServerError, Store, StoreError, Stored,
};

#[test]
fn public_types_can_cross_threads() {
    fn check<T: std::fmt::Debug + Send + Sync + 'static>() {}
    check::<Config>();
    check::<Database>();
    check::<FailRule>();
    check::<Faults>();
    check::<InvalidFailRule>();
    check::<InvalidFault>();
    check::<usage_server::Listener>();
    check::<usage_server::Listeners>();
    check::<usage_server::ListenAddress>();
    check::<InvalidKind>();
    check::<Kind>();
    check::<Metrics>();
    check::<usage_server::Refused>();
    check::<RequestLog>();
    check::<Rows<usage_proto::Usage>>();
    check::<Selection>();
    check::<Server>();
    check::<ServerError>();
    check::<usage_server::ServerEvent>();
    check::<Store>();
    check::<StoreError>();
    check::<usage_server::Terms>();
    check::<usage_server::Limits>();
    check::<usage_server::Proxies>();
    check::<usage_server::InvalidNetwork>();
    check::<Stored<usage_proto::Usage>>();
}

#[test]
fn the_url_is_one_to_connect_to() {
    let server = crate::client::start();
    assert_eq!(server.url(), format!("http://127.0.0.1:{}", server.local_addr().port()));
    assert_ne!(server.local_addr().port(), 0);

    let everywhere = Server::bind("0.0.0.0:0", crate::client::temporary()).unwrap();
    assert!(everywhere.url().starts_with("http://127.0.0.1:"), "{}", everywhere.url());
}
