//! A client of the application's own: what holds whatever it is set to.

use testkit::outcome::{self, Outcome, incomplete, refused, saved, sent, unsent};
use testkit::samples::{CREATED, LESS_SHORT, TOKEN, api, usage};
use testkit::scripted::{Nobody, Script, ScriptedServer};
use usage_proto::TransportErrorKind::{Connect, Interrupted, Other, Timeout};
use usage_reqwest::Client;
use usage_reqwest::reqwest::{self, ClientBuilder, redirect, retry};

use crate::{save, source, unanswered};

/// One that knows no TLS.
fn builder() -> ClientBuilder {
    let builder = reqwest::Client::builder().no_proxy();
    #[cfg(feature = "tls")]
    let builder =
        builder.tls_backend_preconfigured(crate::trusting(rustls::RootCertStore::empty()));
    builder
}

fn over(builder: ClientBuilder, url: &str) -> Client {
    Client::with_client(api(url), builder.build().unwrap())
}

#[tokio::test]
async fn its_pool_is_shared_with_the_program() {
    let server = ScriptedServer::answering(CREATED);
    let http = builder().build().unwrap();
    let client = Client::with_client(api(&server.url()), http.clone());
    for _ in 0..2 {
        http.post(server.url()).body("{}").send().await.unwrap().bytes().await.unwrap();
        assert_eq!(save(&client).await, saved(201, "{}"));
    }
    assert_eq!(server.received().len(), 4);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_is_not_there_was_not_sent() {
    let client = over(builder(), &format!("http://{}", Nobody::new().address()));
    assert_eq!(save(&client).await, unsent(Connect));
}

#[tokio::test]
async fn an_answer_from_elsewhere_is_no_answer() {
    for status in [301, 302, 303] {
        let elsewhere = ScriptedServer::answering(CREATED);
        let head = format!("HTTP/1.1 {status} X\r\nLocation: {}/secret\r\n", elsewhere.url());
        let server = ScriptedServer::answering(head + "Content-Length: 0\r\n\r\n");
        let error = unanswered(over(builder(), &server.url()).save(&usage()).await);
        // A client that follows redirects cannot be stopped: the token has gone along.
        assert!(elsewhere.received()[0].head.contains(TOKEN));
        assert_eq!(error.kind(), Other);
        assert!(error.may_have_been_sent());
        assert!(!error.is_retryable());
        assert!(source(&error).contains("redirect::Policy::none()"), "{error:#}");
        assert!(!format!("{error:#}").contains("secret"), "{error:#}");
    }
}

#[tokio::test]
async fn what_was_sent_before_a_redirect_was_sent() {
    let nobody = Nobody::new();
    let there = format!("http://{}/", nobody.address());
    let answer = format!("HTTP/1.1 302 X\r\nLocation: {there}\r\n\r\n");
    let server = ScriptedServer::start([Script::answer(answer)]);
    assert_eq!(save(&over(builder(), &server.url())).await, sent(Interrupted));
}

#[tokio::test]
async fn the_report_itself_is_never_taken_elsewhere() {
    for (status, policy) in [
        (307, redirect::Policy::limited(5)),
        (308, redirect::Policy::limited(5)),
        (302, redirect::Policy::none()),
    ] {
        let elsewhere = ScriptedServer::answering(CREATED);
        let there = format!("{}/", elsewhere.url());
        let answer = format!("HTTP/1.1 {status} X\r\nLocation: {there}\r\n\r\n");
        let server = ScriptedServer::start([Script::answer(answer)]);
        let client = over(builder().redirect(policy), &server.url());
        assert_eq!(save(&client).await, refused(status, outcome::redirect(Some(&there))));
        assert_eq!(elsewhere.connections(), 0);
    }
}

#[tokio::test]
async fn the_report_is_sent_once() {
    let again = retry::for_host("127.0.0.1").classify_fn(|exchange| match exchange.status() {
        Some(_) => exchange.success(),
        None => exchange.retryable(),
    });
    let server = ScriptedServer::start([Script::answer("")]);
    assert_eq!(save(&over(builder().retry(again), &server.url())).await, sent(Interrupted));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn its_answers_are_bounded_in_time_and_size() {
    let server = ScriptedServer::start([Script::answer("").hold()]);
    let client = over(builder(), &server.url()).with_total_deadline(LESS_SHORT);
    assert_eq!(save(&client).await, sent(Timeout));

    let head = "HTTP/1.1 201 X\r\nContent-Length: 9\r\n\r\n";
    let server = ScriptedServer::start([Script::answer(format!("{head}12")).hold()]);
    let client = over(builder(), &server.url()).with_total_deadline(LESS_SHORT);
    assert_eq!(save(&client).await, incomplete(201, "12"));

    let server = ScriptedServer::answering(format!("{head}123456789"));
    let api = api(&server.url()).with_response_limit(3);
    let client = Client::with_client(api, builder().build().unwrap());
    assert_eq!(save(&client).await, incomplete(201, "123"));

    let lines = "X: y\r\n".repeat(101);
    let server = ScriptedServer::answering(format!("HTTP/1.1 200 X\r\n{lines}\r\n"));
    let Outcome::Unanswered { may_have_been_sent: true, .. } =
        save(&over(builder(), &server.url())).await
    else {
        panic!("an answer with 101 lines");
    };
}

#[tokio::test]
async fn its_own_deadlines_count_as_well() {
    let server = ScriptedServer::start([Script::answer("").hold()]);
    let client = over(builder().timeout(LESS_SHORT), &server.url());
    assert_eq!(save(&client).await, sent(Timeout));
}
