//! The environment of a host is hostile now and then.

use usage_reqwest::{Client, ClientError};

use crate::server::Server;
use crate::{CREATED, api, child, client, usage};

#[tokio::test]
async fn loopback_is_never_reached_through_a_proxy() {
    if child::is_here() {
        let port = std::env::var("TEST_PORT").unwrap();
        for host in ["127.0.0.1", "localhost"] {
            client(&format!("http://{host}:{port}")).save(&usage()).await.unwrap();
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

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_refused_at_construction() {
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

#[tokio::test]
async fn a_proxy_that_cannot_stand_in_a_uri_is_refused_at_construction() {
    if child::is_here() {
        let error = Client::new(api("http://usage.example")).unwrap_err();
        assert!(matches!(error, ClientError::ProxyAddress { .. }), "{error:?}");
        assert!(error.to_string().contains("quo\"te:3128"), "{error}");
        assert!(!format!("{error}{error:?}").contains("secret"), "{error}");
        return;
    }
    let test = "environment::a_proxy_that_cannot_stand_in_a_uri_is_refused_at_construction";
    child::run(test, &[("http_proxy", "http://user:secret@quo\"te:3128")]);
}
