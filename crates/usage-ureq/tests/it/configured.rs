//! The application's own settings stand, and what is forced stays forced.

use testkit::outcome::{Outcome, redirect, refused, saved, sent};
use testkit::samples::{CREATED, LESS_SHORT, TOKEN, api, usage};
use testkit::scripted::{Script, ScriptedServer};
use usage_proto::{Deadlines, TransportErrorKind};
use usage_ureq::Client;
use usage_ureq::ureq::{self, SendBody, http, middleware::MiddlewareNext};

use crate::{Answer, save};

#[test]
fn what_is_forced_cannot_be_undone() {
    let elsewhere = ScriptedServer::answering(CREATED);
    let answer = format!("HTTP/1.1 302 X\r\nLocation: {}\r\n\r\n", elsewhere.url());
    let server = ScriptedServer::run(move |mut connection| {
        if connection.request().is_some_and(|request| request.head.contains("hang")) {
            connection.hang();
        } else {
            connection.send(&answer);
        }
    });
    let proxy = ureq::Proxy::new(&elsewhere.url()).unwrap();
    let client =
        Client::configured(api(&server.url()), Deadlines::new().total(LESS_SHORT), |builder| {
            builder
                .max_redirects(5)
                .max_redirects_will_error(true)
                .save_redirect_history(false)
                .http_status_as_error(true)
                .proxy(Some(proxy))
                .timeout_global(None)
                .timeout_connect(None)
                .timeout_resolve(None)
                .accept_encoding("gzip")
                .user_agent("another")
        })
        .unwrap();
    let moved = refused(302, redirect(Some(&format!("{}/", elsewhere.url()))));
    assert_eq!(save(&client), moved);
    let hang = Outcome::of(&client.save(&usage_proto::Usage::new("hang")));
    assert_eq!(hang, sent(TransportErrorKind::Timeout));
    assert_eq!(elsewhere.connections(), 0);
    let head = &server.received()[0].head;
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    assert!(head.contains("user-agent: usage-proto/"), "{head}");
}

#[test]
fn what_is_forced_cannot_be_undone_for_one_request_either() {
    let elsewhere = ScriptedServer::answering(CREATED);
    let answer = format!("HTTP/1.1 302 X\r\nLocation: {}\r\n\r\n", elsewhere.url());
    let server = ScriptedServer::start([Script::answer(answer)]);
    let client = crate::client(&server.url());

    // ureq keeps a configuration for one request in the request's extensions.
    let carrier = http::Request::new(());
    let carrier = ureq::agent().configure_request(carrier).max_redirects(5).build();
    let mut request = client.api().build_request(&usage()).unwrap();
    *request.extensions_mut() = carrier.into_parts().0.extensions;
    assert_eq!(client.execute(request).unwrap().status(), 302);
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn the_pool_can_be_turned_off() {
    let server = ScriptedServer::answering(CREATED);
    let client = Client::configured(api(&server.url()), Deadlines::new(), |builder| {
        builder.max_idle_connections(0)
    });
    let client = client.unwrap();
    for _ in 0..3 {
        assert_eq!(save(&client), saved(201, "{}"));
    }
    assert_eq!(server.connections(), 3);
}

#[test]
fn a_middleware_can_be_added() {
    fn mark(mut request: http::Request<SendBody>, next: MiddlewareNext) -> Answer {
        request.headers_mut().insert("x-mark", http::HeaderValue::from_static("seen"));
        next.handle(request)
    }
    let server = ScriptedServer::answering(CREATED);
    let client = Client::configured(api(&server.url()), Deadlines::new(), |b| b.middleware(mark));
    assert_eq!(save(&client.unwrap()), saved(201, "{}"));
    let [request] = &server.received()[..] else { panic!("one request") };
    assert_eq!(request.header("x-mark"), ["seen"]);
    assert_eq!(request.header("x-authorization"), [TOKEN]);
}
