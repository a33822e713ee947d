//! A product without a token: it says where to register, takes the token, and goes on with it.

use usage_client::UsageData;
use usage_server::{Config, Database, Registration, Server};

use crate::{PATIENCE, product, wait_until};

#[test]
fn w23_the_whole_way_round() {
    let config = Config::new(Database::temporary()).registration(Registration::Open);
    let there = Server::bind("127.0.0.1:0", config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let reporting = product(&there, folder.path()).start(UsageData::new).unwrap();
    wait_until("it has reported", || reporting.status().delivered >= 2);

    // The product's own interface.
    let registration = reporting
        .registration()
        .unwrap()
        .redirect_url("http://127.0.0.1:1/registered")
        .state_in_path([9; 16]);
    let url = reporting.registration_url(&registration).unwrap().unwrap();
    assert!(url.starts_with(&format!("{}/start?cluster_id=", there.url())), "{url}");
    // Stands in for the customer's browser.
    let token = there.create_token("Example Inc.").unwrap();
    let back = format!("{}?token={}", registration.redirect_path().unwrap(), token.expose());
    reporting.set_token(registration.parse_redirect(&back).unwrap()).unwrap();

    let belongs = |organisation: Option<String>| organisation.as_deref() == Some("Example Inc.");
    wait_until("the server is registered under the organisation", || {
        there.store().servers().read_all().unwrap().into_iter().any(|row| belongs(row.organisation))
    });
    wait_until("usage belongs to the organisation", || {
        there.store().usage().read_all().unwrap().into_iter().any(|row| belongs(row.organisation))
    });
    reporting.stop(PATIENCE);
}

/// It runs alone in a process of its own, since the log is one for all.
#[test]
fn without_a_token_it_says_once_where_to_register() {
    if !testkit::child::is_here() {
        return testkit::child::run("token::without_a_token_it_says_once_where_to_register", &[]);
    }
    testkit::logged::keep();
    let there = Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let start = |token: Option<usage_client::Token>| {
        let product = product(&there, folder.path()).cluster_id("clus1").token(token);
        let reporting = product.start(UsageData::new).unwrap();
        wait_until("it has reported", || reporting.status().delivered >= 3);
        reporting
    };
    let line = format!(
        "what tinykv reports belongs to no organisation; to register, open \
         {}/start?cluster_id=clus1&product=tinykv",
        there.url()
    );
    let reporting = start(None);
    assert_eq!(testkit::logged::times(&line), 1);
    let token = there.create_token("Example Inc.").unwrap();
    reporting.set_token(token.clone()).unwrap();
    reporting.stop(PATIENCE);
    // The next start has the token.
    start(Some(token)).stop(PATIENCE);
    assert_eq!(testkit::logged::times(&line), 1);
}
