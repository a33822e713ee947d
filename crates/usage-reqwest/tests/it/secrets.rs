//! W6: the token is in no log, even if the application asks reqwest for all that it sends.

use testkit::outcome::saved;
use testkit::samples::{CREATED, TOKEN, api};
use testkit::scripted::ScriptedServer;
use testkit::{child, logged};
use usage_proto::Deadlines;
use usage_reqwest::Client;
use usage_reqwest::reqwest::ClientBuilder;

use crate::save;

#[tokio::test]
async fn w6_the_token_is_not_in_the_log_at_level_trace() {
    if !child::is_here() {
        let test = "secrets::w6_the_token_is_not_in_the_log_at_level_trace";
        return child::run(test, &[]);
    }
    logged::keep();
    let server = ScriptedServer::answering(CREATED);
    let talkative = |builder: ClientBuilder| builder.connection_verbose(true);
    let client = Client::configured(api(&server.url()), Deadlines::new(), talkative).unwrap();
    for _ in 0..2 {
        assert_eq!(save(&client).await, saved(201, "{}"));
    }
    assert!(server.received().iter().all(|request| request.head.contains(TOKEN)));
    assert!(logged::has("reqwest"));
    assert_eq!(logged::leak(TOKEN), None);
}
