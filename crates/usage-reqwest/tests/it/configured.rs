//! The application's own settings stand, and what is forced stays forced.

use std::time::Duration;

use usage_proto::{Deadlines, TransportErrorKind, Usage};
use usage_reqwest::reqwest::header::{HeaderMap, HeaderValue};
use usage_reqwest::reqwest::{Proxy, redirect, retry};
use usage_reqwest::{Client, ClientError};

use crate::server::Server;
use crate::{LESS_SHORT, PATIENCE, SHORT, api, refused, unanswered, usage};

#[tokio::test]
async fn what_is_forced_cannot_be_undone() {
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let redirect = format!("HTTP/1.1 302 X\r\nLocation: {}\r\n\r\n", elsewhere.url());
    let server = Server::start(move |mut connection| {
        if connection.request().is_some_and(|request| request.head.contains("hang")) {
            connection.hang();
        } else {
            connection.send(&redirect);
        }
    });
    let again = retry::for_host("127.0.0.1").classify_fn(|exchange| match exchange.status() {
        Some(_) => exchange.retryable(),
        None => exchange.success(),
    });
    let proxy = Proxy::all(elsewhere.url()).unwrap();
    let client =
        Client::configured(api(&server.url()), Deadlines::new().total(LESS_SHORT), |builder| {
            builder
                .redirect(redirect::Policy::limited(5))
                .referer(true)
                .retry(again)
                .proxy(proxy)
                .timeout(PATIENCE)
                .connect_timeout(PATIENCE)
                .connection_verbose(true)
                .user_agent("another")
        })
        .unwrap();
    assert_eq!(refused(client.save(&usage()).await).status, 302);
    assert_eq!(server.requests().len(), 1);
    let hang = Usage::new("hang");
    assert_eq!(unanswered(client.save(&hang).await).kind(), TransportErrorKind::Timeout);
    assert_eq!(elsewhere.connections(), 0);
    let head = &server.requests()[0].head;
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    assert!(head.contains("user-agent: usage-proto/"), "{head}");
    assert!(!head.contains("referer"), "{head}");
}

#[tokio::test]
async fn the_applications_own_headers_go_along_but_replace_none() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let mut headers = HeaderMap::new();
    headers.insert("x-tenant", HeaderValue::from_static("seven"));
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    let client = Client::configured(api(&server.url()), Deadlines::new(), |builder| {
        builder.default_headers(headers)
    });
    client.unwrap().save(&usage()).await.unwrap();
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert!(request.head.contains("x-tenant: seven\r\n"), "{}", request.head);
    assert!(request.head.contains("content-type: application/json\r\n"), "{}", request.head);
    assert!(!request.head.contains("text/plain"), "{}", request.head);
}

#[tokio::test]
async fn the_pool_can_be_turned_off() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let client = Client::configured(api(&server.url()), Deadlines::new(), |builder| {
        builder.pool_max_idle_per_host(0)
    });
    let client = client.unwrap();
    for _ in 0..3 {
        client.save(&usage()).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_shorter_patience_between_two_reads_is_the_applications_choice() {
    let server = Server::start(|mut connection| {
        connection.request();
        connection.hang();
    });
    let deadlines = Deadlines::new().total(Duration::from_secs(600));
    let client =
        Client::configured(api(&server.url()), deadlines, |builder| builder.read_timeout(SHORT));
    let error = unanswered(client.unwrap().save(&usage()).await);
    assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Timeout, true));
}

#[test]
fn settings_that_reqwest_does_not_take_are_refused_at_construction() {
    let error = Client::configured(api("http://127.0.0.1:1"), Deadlines::new(), |builder| {
        builder.user_agent("line\nbreak")
    })
    .unwrap_err();
    assert!(matches!(error, ClientError::Settings(_)), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
#[cfg(not(feature = "tls"))]
async fn without_tls_an_https_url_is_an_error_that_says_so() {
    let client = Client::new(api("https://127.0.0.1:1")).unwrap();
    let error = unanswered(client.save(&usage()).await);
    assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Tls, false));
    assert!(!error.is_retryable());
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("feature `tls`"), "{source}");
}
