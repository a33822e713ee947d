//! The environment of a host is hostile now and then.

use usage_proto::TransportErrorKind::Connect;
use usage_ureq::{Client, ClientError};

use crate::server::Server;
use crate::{api, child, client, unanswered, usage};

const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

#[test]
fn loopback_is_never_reached_through_a_proxy() {
    if child::is_here() {
        let port = std::env::var("TEST_PORT").unwrap();
        for host in ["127.0.0.1", "localhost"] {
            client(&format!("http://{host}:{port}")).save(&usage()).unwrap();
        }
        return;
    }
    let server = Server::answering(CREATED);
    let trap = Server::start(drop);
    let trap_url = trap.url();
    let mut variables = vec![("TEST_PORT", server.port().to_string())];
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    {
        variables.push((name, trap_url.clone()));
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, &**value)).collect();
    child::run("environment::loopback_is_never_reached_through_a_proxy", &variables);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(trap.connections(), 0);
}

#[test]
fn a_host_that_has_no_thread_left_for_a_look_up_gets_an_error() {
    if child::is_here() {
        let port = std::env::var("TEST_PORT").unwrap();
        let by_name = client(&format!("http://localhost:{port}"));
        let error = unanswered(by_name.save(&usage()));
        assert_eq!((error.kind(), error.may_have_been_sent()), (Connect, false), "{error:?}");
        // An address needs none.
        client(&format!("http://127.0.0.1:{port}")).save(&usage()).unwrap();
        return;
    }
    let server = Server::answering(CREATED);
    // No thread can have a stack that large.
    let stack = (1_u64 << 62).to_string();
    child::run(
        "environment::a_host_that_has_no_thread_left_for_a_look_up_gets_an_error",
        &[("RUST_MIN_STACK", &stack), ("TEST_PORT", &server.port().to_string())],
    );
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_at_construction() {
    if child::is_here() {
        let error = Client::new(api("http://usage.example")).unwrap_err();
        assert!(matches!(error, ClientError::Proxy(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("http_proxy"), "{text}");
        assert!(!format!("{text}{error:?}").contains("secret"), "{text}");
        // It is not asked for elsewhere.
        Client::new(api("http://127.0.0.1:1")).unwrap();
        Client::new(api("https://usage.example")).unwrap();
        return;
    }
    let test = "environment::a_proxy_that_cannot_be_used_is_refused_at_construction";
    child::run(test, &[("http_proxy", "socks5://user:secret@127.0.0.1:1080")]);
}

/// Neither is it passed by: the report would go where the variable's owner did not want it to go.
#[test]
#[cfg(unix)]
fn a_proxy_that_is_no_text_is_refused_at_construction() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    if child::is_here() {
        let error = Client::new(api("http://usage.example")).unwrap_err();
        assert!(matches!(error, ClientError::Proxy(_)), "{error:?}");
        assert!(error.to_string().contains("http_proxy"), "{error}");
        return;
    }
    let test = "environment::a_proxy_that_is_no_text_is_refused_at_construction";
    child::run_with(test, &[("http_proxy", OsStr::from_bytes(b"http://\xff:1"))]);
}

/// One that is text but for its password is used.
#[test]
#[cfg(unix)]
fn a_proxy_with_a_password_that_is_no_text_is_not_passed_by() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    if child::is_here() {
        client("http://usage.example").save(&usage()).unwrap();
        return;
    }
    let proxy = Server::answering(CREATED);
    let address = [b"http://user:\xff@127.0.0.1:", proxy.port().to_string().as_bytes()].concat();
    let test = "environment::a_proxy_with_a_password_that_is_no_text_is_not_passed_by";
    child::run_with(test, &[("http_proxy", OsStr::from_bytes(&address))]);
    assert_eq!(proxy.requests().len(), 1);
}
