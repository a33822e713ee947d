//! Requests to a host that is not loopback go through the proxy that the environment names.

use usage_proto::TransportErrorKind::{Connect, Interrupted};

use crate::server::Server;
use crate::{TOKEN, child, client, refused, source, unanswered, usage};

const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
/// `us er:p@ss`, in base64.
const CREDENTIALS: &str = "proxy-authorization: basic dxmgzxi6cebzcw==";

fn with_credentials(proxy: &Server) -> String {
    format!("http://us%20er:p%40ss@127.0.0.1:{}", proxy.port())
}

#[test]
fn an_http_url_is_asked_for_in_the_absolute_form() {
    if child::is_here() {
        let client = client("http://usage.example:8080/prefix");
        for _ in 0..3 {
            assert_eq!(client.save(&usage()).unwrap().status(), 201);
        }
        return assert!(!format!("{client:?}").contains("p@ss"));
    }
    let proxy = Server::answering(CREATED);
    child::run(
        "proxy::an_http_url_is_asked_for_in_the_absolute_form",
        &[("http_proxy", &with_credentials(&proxy)), ("https_proxy", "http://127.0.0.1:1")],
    );
    assert_eq!(proxy.requests().len(), 3);
    assert_eq!(proxy.connections(), 1);
    for request in proxy.requests() {
        let line = "POST http://usage.example:8080/prefix/api/v1/usage/influxdb HTTP/1.1\r\n";
        assert!(request.head.starts_with(line), "{}", request.head);
        assert!(request.head.contains("\r\nhost: usage.example:8080\r\n"), "{}", request.head);
        assert!(request.head.contains(&format!("\r\nx-authorization: {TOKEN}\r\n")));
        assert_eq!(request.head.to_lowercase().matches(CREDENTIALS).count(), 1, "{}", request.head);
        assert!(request.body.starts_with(b"[{"));
    }
}

#[test]
fn no_proxy_and_the_other_schemes_variable_are_minded() {
    if child::is_here() {
        // No such host: it would have to be the proxy that knows it.
        for url in ["http://direct.invalid", "http://other.invalid"] {
            assert_eq!(unanswered(client(url).save(&usage())).kind(), Connect);
        }
        return;
    }
    let proxy = Server::answering(CREATED);
    child::run(
        "proxy::no_proxy_and_the_other_schemes_variable_are_minded",
        &[("HTTPS_PROXY", &proxy.url()), ("NO_PROXY", "direct.invalid")],
    );
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_proxy_that_is_not_there_is_connect() {
    if child::is_here() {
        for url in ["http://usage.example", "https://usage.example"] {
            if url.starts_with("https") && cfg!(not(feature = "tls")) {
                continue;
            }
            let error = unanswered(client(url).save(&usage()));
            assert_eq!((error.kind(), error.may_have_been_sent()), (Connect, false), "{error:?}");
            // The proxy is to blame, not the API.
            let gone = std::env::var("TEST_PROXY").unwrap();
            assert_eq!(source(&error), format!("through the proxy {gone}"));
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        return;
    }
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://user:secret@{gone}");
    child::run(
        "proxy::a_proxy_that_is_not_there_is_connect",
        &[("all_proxy", &proxy), ("TEST_PROXY", &gone.to_string())],
    );
}

#[test]
fn a_proxys_own_answer_to_an_http_request_is_an_answer() {
    if child::is_here() {
        assert_eq!(refused(client("http://usage.example").save(&usage())).status, 407);
        return;
    }
    let proxy = Server::answering("HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n");
    let test = "proxy::a_proxys_own_answer_to_an_http_request_is_an_answer";
    child::run(test, &[("http_proxy", &proxy.url())]);
}

/// Everything up to the tunnel, which leads nowhere.
#[test]
#[cfg(feature = "tls")]
fn an_https_url_is_reached_through_a_tunnel_and_the_proxy_sees_no_token() {
    if child::is_here() {
        let error = unanswered(client("https://usage.example").save(&usage()));
        assert_eq!(
            (error.kind(), error.may_have_been_sent()),
            (usage_proto::TransportErrorKind::Tls, false),
            "{error:?}"
        );
        return;
    }
    let proxy = Server::start(|mut connection| {
        if connection.request().is_some() {
            connection.send("HTTP/1.1 200 Connected\r\n\r\n");
        }
    });
    child::run(
        "proxy::an_https_url_is_reached_through_a_tunnel_and_the_proxy_sees_no_token",
        &[("https_proxy", &with_credentials(&proxy))],
    );
    let [request] = &proxy.requests()[..] else { panic!("one request") };
    assert!(request.head.starts_with("CONNECT usage.example:443 HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.head.to_lowercase().matches(CREDENTIALS).count(), 1, "{}", request.head);
    assert!(!request.head.to_lowercase().contains("x-authorization"), "{}", request.head);
}

#[test]
#[cfg(feature = "tls")]
fn a_proxy_that_gives_no_tunnel_is_connect() {
    if child::is_here() {
        let error = unanswered(client("https://usage.example").save(&usage()));
        assert_eq!((error.kind(), error.may_have_been_sent()), (Connect, false), "{error:?}");
        assert!(source(&error).starts_with("through the proxy 127.0.0.1:"), "{error:?}");
        return;
    }
    let answers = ["HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n", "nonsense\r\n\r\n", ""];
    for answer in answers {
        let proxy = Server::answering_once(answer);
        let test = "proxy::a_proxy_that_gives_no_tunnel_is_connect";
        child::run(test, &[("https_proxy", &proxy.url())]);
        assert_eq!(proxy.connections(), 1);
    }
}

#[test]
fn a_proxy_that_closes_instead_of_an_answer_is_interrupted() {
    if child::is_here() {
        let error = unanswered(client("http://usage.example").save(&usage()));
        assert_eq!((error.kind(), error.may_have_been_sent()), (Interrupted, true), "{error:?}");
        return;
    }
    let proxy = Server::answering_once("");
    let test = "proxy::a_proxy_that_closes_instead_of_an_answer_is_interrupted";
    child::run(test, &[("http_proxy", &proxy.url())]);
}
