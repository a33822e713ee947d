//! Requests to a host that is not loopback go through the proxy that the environment names.

use usage_proto::TransportErrorKind::{Connect, Interrupted};
#[cfg(feature = "tls")]
use usage_proto::{
    Deadlines,
    TransportErrorKind::{Timeout, Tls},
};
#[cfg(feature = "tls")]
use usage_reqwest::Client;

use crate::server::Server;
#[cfg(feature = "tls")]
use crate::{AGES, SHORT, api, soon};
use crate::{CREATED, TOKEN, child, client, refused, unanswered, usage};

/// `us er:p@ss%41`, in base64.
const CREDENTIALS: &str = "proxy-authorization: basic dxmgzxi6cebzcyu0mq==";

fn with_credentials(proxy: &Server) -> String {
    format!("http://us%20er:p%40ss%2541@127.0.0.1:{}", proxy.port())
}

#[tokio::test]
async fn an_http_url_is_asked_for_in_the_absolute_form() {
    if child::is_here() {
        let client = client("http://usage.example:8080/prefix");
        for _ in 0..3 {
            assert_eq!(client.save(&usage()).await.unwrap().status(), 201);
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

#[tokio::test]
async fn no_proxy_and_the_other_schemes_variable_are_minded() {
    if child::is_here() {
        // No such host: it would have to be the proxy that knows it.
        for url in ["http://direct.invalid", "http://other.invalid"] {
            assert_eq!(unanswered(client(url).save(&usage()).await).kind(), Connect);
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

#[tokio::test]
async fn a_proxy_that_is_not_there_is_connect() {
    if child::is_here() {
        for url in ["http://usage.example", "https://usage.example"] {
            if url.starts_with("https") && cfg!(not(feature = "tls")) {
                continue;
            }
            let error = unanswered(client(url).save(&usage()).await);
            assert_eq!((error.kind(), error.may_have_been_sent()), (Connect, false), "{error:?}");
            // That it is not the API's fault.
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.starts_with("through the proxy 127.0.0.1:"), "{source}");
        }
        return;
    }
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://{gone}");
    child::run("proxy::a_proxy_that_is_not_there_is_connect", &[("all_proxy", &proxy)]);
}

#[tokio::test]
async fn a_proxys_own_answer_to_an_http_request_is_an_answer() {
    if child::is_here() {
        assert_eq!(refused(client("http://usage.example").save(&usage()).await).status, 407);
        return;
    }
    let proxy = Server::answering("HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n");
    let test = "proxy::a_proxys_own_answer_to_an_http_request_is_an_answer";
    child::run(test, &[("http_proxy", &proxy.url())]);
}

/// Everything up to the tunnel, which leads nowhere.
#[tokio::test]
#[cfg(feature = "tls")]
async fn an_https_url_is_reached_through_a_tunnel_and_the_proxy_sees_no_token() {
    if child::is_here() {
        let error = unanswered(client("https://usage.example").save(&usage()).await);
        assert_eq!((error.kind(), error.may_have_been_sent()), (Tls, false), "{error:?}");
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

#[tokio::test]
#[cfg(feature = "tls")]
async fn a_proxy_that_gives_no_tunnel_is_connect() {
    if child::is_here() {
        let error = unanswered(client("https://usage.example").save(&usage()).await);
        assert_eq!((error.kind(), error.may_have_been_sent()), (Connect, false), "{error:?}");
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

#[tokio::test]
#[cfg(feature = "tls")]
async fn w41_a_proxy_that_never_gives_a_tunnel_ends_with_the_connect_deadline() {
    if child::is_here() {
        let deadlines = Deadlines::new().total(AGES).connect(SHORT);
        let api = api("https://usage.example");
        let client = Client::configured(api, deadlines, |builder| builder).unwrap();
        let error = unanswered(soon(client.save(&usage())).await);
        return assert_eq!((error.kind(), error.may_have_been_sent()), (Timeout, false));
    }
    let proxy = Server::start(|mut connection| {
        connection.request();
        connection.hang();
    });
    let test = "proxy::w41_a_proxy_that_never_gives_a_tunnel_ends_with_the_connect_deadline";
    child::run(test, &[("https_proxy", &proxy.url())]);
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_proxy_that_closes_instead_of_an_answer_is_interrupted() {
    if child::is_here() {
        let error = unanswered(client("http://usage.example").save(&usage()).await);
        assert_eq!((error.kind(), error.may_have_been_sent()), (Interrupted, true), "{error:?}");
        return;
    }
    let proxy = Server::answering_once("");
    let test = "proxy::a_proxy_that_closes_instead_of_an_answer_is_interrupted";
    child::run(test, &[("http_proxy", &proxy.url())]);
}
