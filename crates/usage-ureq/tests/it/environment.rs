//! The environment of a host is hostile now and then.

use testkit::child;
use testkit::outcome::{saved, unsent};
use testkit::samples::CREATED;
use testkit::scripted::ScriptedServer;
use usage_proto::TransportErrorKind::Connect;

use crate::{client, save};

#[test]
fn a_host_that_has_no_thread_left_for_a_look_up_gets_an_error() {
    if child::is_here() {
        let port = std::env::var("TEST_PORT").unwrap();
        assert_eq!(save(&client(&format!("http://localhost:{port}"))), unsent(Connect));
        // An address needs none.
        assert_eq!(save(&client(&format!("http://127.0.0.1:{port}"))), saved(201, "{}"));
        return;
    }
    let server = ScriptedServer::answering(CREATED);
    // No thread can have a stack that large.
    let stack = (1_u64 << 62).to_string();
    child::run(
        "environment::a_host_that_has_no_thread_left_for_a_look_up_gets_an_error",
        &[("RUST_MIN_STACK", &stack), ("TEST_PORT", &server.port().to_string())],
    );
}
