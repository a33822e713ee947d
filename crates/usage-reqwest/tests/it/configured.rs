//! The application's own settings stand, and what is forced stays forced.

use testkit::outcome::{self, Outcome, in_vain, refused, saved, sent, unsent};
use testkit::samples::{CREATED, LESS_SHORT, api};
use testkit::scripted::{PATIENCE, ScriptedServer};
use usage_proto::{Deadlines, TransportErrorKind, Usage};
use usage_reqwest::Client;
use usage_reqwest::reqwest::header::{HeaderMap, HeaderValue};
use usage_reqwest::reqwest::{Proxy, redirect, retry};

use crate::save;

#[tokio::test]
async fn what_is_forced_cannot_be_undone() {
    let elsewhere = ScriptedServer::answering(CREATED);
    let answer = format!("HTTP/1.1 302 X\r\nLocation: {}/\r\n\r\n", elsewhere.url());
    let server = ScriptedServer::run(move |mut connection| {
        if connection.request().is_some_and(|request| request.head.contains("hang")) {
            connection.hang();
        } else {
            connection.send(&answer);
        }
    });
    let again = || {
        retry::for_host("127.0.0.1").classify_fn(|exchange| match exchange.status() {
            Some(_) => exchange.retryable(),
            None => exchange.success(),
        })
    };
    let proxy = Proxy::all(elsewhere.url()).unwrap();
    let client = Client::configured(
        api(&server.url()),
        Deadlines::new().total(LESS_SHORT),
        move |builder| {
            builder
                .redirect(redirect::Policy::limited(5))
                .referer(true)
                .retry(again())
                .proxy(proxy.clone())
                .timeout(PATIENCE)
                .connect_timeout(PATIENCE)
                .connection_verbose(true)
                .user_agent("another")
        },
    )
    .unwrap();
    let there = format!("{}/", elsewhere.url());
    assert_eq!(save(&client).await, refused(302, outcome::redirect(Some(&there))));
    assert_eq!(server.received().len(), 1);
    let hang = client.save(&Usage::new("hang")).await;
    assert_eq!(Outcome::of(&hang), sent(TransportErrorKind::Timeout));
    assert_eq!(elsewhere.connections(), 0);
    let head = &server.received()[0].head;
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    assert!(head.contains("user-agent: usage-proto/"), "{head}");
    assert!(!head.contains("referer"), "{head}");
}

#[tokio::test]
async fn the_applications_own_headers_go_along_but_replace_none() {
    let server = ScriptedServer::answering(CREATED);
    let mut headers = HeaderMap::new();
    headers.insert("x-tenant", HeaderValue::from_static("seven"));
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    let client = Client::configured(api(&server.url()), Deadlines::new(), move |builder| {
        builder.default_headers(headers.clone())
    });
    assert_eq!(save(&client.unwrap()).await, saved(201, "{}"));
    let [request] = &server.received()[..] else { panic!("one request") };
    assert!(request.head.contains("x-tenant: seven\r\n"), "{}", request.head);
    assert!(request.head.contains("content-type: application/json\r\n"), "{}", request.head);
    assert!(!request.head.contains("text/plain"), "{}", request.head);
}

#[tokio::test]
async fn the_pool_can_be_turned_off() {
    let server = ScriptedServer::answering(CREATED);
    let client = Client::configured(api(&server.url()), Deadlines::new(), |builder| {
        builder.pool_max_idle_per_host(0)
    });
    let client = client.unwrap();
    for _ in 0..3 {
        assert_eq!(save(&client).await, saved(201, "{}"));
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn settings_that_reqwest_does_not_take_are_an_error_of_the_save() {
    let client = Client::configured(api("http://127.0.0.1:1"), Deadlines::new(), |builder| {
        builder.user_agent("line\nbreak")
    });
    assert_eq!(save(&client.unwrap()).await, in_vain(TransportErrorKind::Other));
}

#[tokio::test]
async fn a_panic_in_the_applications_settings_is_an_error_of_the_save() {
    let client = Client::configured(api("http://127.0.0.1:1"), Deadlines::new(), |_| panic!("no"));
    assert_eq!(save(&client.unwrap()).await, unsent(TransportErrorKind::Connect));
}

#[tokio::test]
#[cfg(not(feature = "tls"))]
async fn without_tls_an_https_url_is_an_error_that_says_so() {
    let client = Client::new(api("https://127.0.0.1:1")).unwrap();
    let error = crate::unanswered(client.save(&testkit::samples::usage()).await);
    let expected = in_vain(TransportErrorKind::Tls);
    assert_eq!(Outcome::unanswered(&error), expected);
    assert!(crate::source(&error).contains("feature `tls`"), "{error:?}");
}
