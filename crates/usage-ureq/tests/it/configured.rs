//! The application's own settings stand, and what is forced stays forced.

use std::time::Duration;

use usage_proto::{Deadlines, TransportErrorKind};
use usage_ureq::Client;
use usage_ureq::ureq::{self, Body, SendBody, http, middleware::MiddlewareNext};

use crate::server::Server;
use crate::{SHORT, api, refused, unanswered, usage};

#[test]
fn what_is_forced_cannot_be_undone() {
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let redirect = format!("HTTP/1.1 302 X\r\nLocation: {}\r\n\r\n", elsewhere.url());
    let server = Server::start(move |mut connection| {
        if connection.request().is_some_and(|request| request.head.contains("hang")) {
            connection.hang();
        } else {
            connection.send(&redirect);
        }
    });
    let proxy = ureq::Proxy::new(&elsewhere.url()).unwrap();
    let client = Client::configured(api(&server.url()), Deadlines::new().total(SHORT), |builder| {
        builder
            .max_redirects(5)
            .max_redirects_will_error(true)
            .http_status_as_error(true)
            .proxy(Some(proxy))
            .timeout_global(None)
            .timeout_connect(None)
            .timeout_resolve(None)
            .accept_encoding("gzip")
            .user_agent("another")
    })
    .unwrap();
    assert_eq!(refused(client.save(&usage())).status, 302);
    let hang = usage_proto::Usage::new("hang");
    assert_eq!(unanswered(client.save(&hang)).kind(), TransportErrorKind::Timeout);
    assert_eq!(elsewhere.connections(), 0);
    let head = &server.requests()[0].head;
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    assert!(head.contains("user-agent: usage-proto/"), "{head}");
}

#[test]
fn what_is_forced_cannot_be_undone_for_one_request_either() {
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let redirect = format!("HTTP/1.1 302 X\r\nLocation: {}\r\n\r\n", elsewhere.url());
    let server = Server::answering_once(redirect);
    let client = crate::client(&server.url());

    // ureq keeps a configuration for one request in the request's extensions.
    let carrier = http::Request::new(());
    let carrier = ureq::agent().configure_request(carrier).max_redirects(5).build();
    let mut request = client.api().request(&usage()).unwrap();
    *request.extensions_mut() = carrier.into_parts().0.extensions;
    assert_eq!(client.execute(request).unwrap().status(), 302);
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn the_pool_can_be_turned_off() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let client = Client::configured(api(&server.url()), Deadlines::new(), |builder| {
        builder.max_idle_connections(0)
    });
    let client = client.unwrap();
    for _ in 0..3 {
        client.save(&usage()).unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[test]
fn small_buffers_hold_a_long_token_all_the_same() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let client = Client::configured(api(&server.url()), Deadlines::new(), |builder| {
        builder.output_buffer_size(64)
    });
    client.unwrap().save(&usage()).unwrap();
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert_eq!(request.head.matches(crate::TOKEN).count(), 1);
    assert!(request.head.starts_with("POST /api/v1/usage/influxdb HTTP/1.1\r\n"));
}

type Answer = Result<http::Response<Body>, ureq::Error>;

#[test]
fn a_middleware_sees_no_token_and_cannot_lose_it() {
    fn watch(request: http::Request<SendBody<'_>>, next: MiddlewareNext<'_>) -> Answer {
        assert!(!request.headers().contains_key("x-authorization"));
        next.handle(request)
    }
    fn elsewhere(request: http::Request<SendBody<'_>>, next: MiddlewareNext<'_>) -> Answer {
        let (parts, _) = request.into_parts();
        let handle = || next.handle(http::Request::from_parts(parts, SendBody::none()));
        std::thread::scope(|scope| scope.spawn(handle).join().unwrap())
    }
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let deadlines = Deadlines::new().total(Duration::from_secs(5));
    let client = Client::configured(api(&server.url()), deadlines, |b| b.middleware(watch));
    client.unwrap().save(&usage()).unwrap();
    assert!(server.requests()[0].head.contains(crate::TOKEN));

    // On another thread the token is not at hand: better no request than one without it.
    let client = Client::configured(api(&server.url()), deadlines, |b| b.middleware(elsewhere));
    let error = unanswered(client.unwrap().save(&usage()));
    assert_eq!(error.kind(), TransportErrorKind::Other);
    assert_eq!(server.requests().len(), 1);
}
