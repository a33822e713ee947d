//! W47, and the request of W57: to be forgotten.

use bytes::Bytes;
use http::{Request, Response};
use usage_proto::{
    Api, BaseUrl, BuildError, Forget, ParseRequestError, Payload, ResponseErrorKind, Token,
    parse_request,
};

fn api() -> Api {
    Api::new(BaseUrl::STAGING)
}

fn answer(status: u16, body: &'static str) -> Response<&'static str> {
    Response::builder().status(status).body(body).unwrap()
}

#[test]
fn w57_the_ids_stand_in_the_body_and_in_no_address() {
    let forget = Forget::new("a/b é").cluster_id("clus1").server_id("serv1");
    let token = Token::new("token-goes-here").unwrap();
    let request = api().with_token(token).unwrap().build_request(&forget).unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri().path(), "/api/v1/forget/a%2Fb%20%C3%A9");
    assert_eq!(request.uri().query(), None);
    assert_eq!(request.headers()["x-authorization"], "token-goes-here");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.body(), r#"{"cluster_id":"clus1","server_id":"serv1"}"#);
    assert_eq!(parse_request(&request).unwrap(), Payload::Forget(forget));
}

#[test]
fn w57_what_cannot_be_asked_for_is_a_typed_error() {
    for product in ["", ".", ".."] {
        let error = api().build_request(&Forget::new(product)).unwrap_err();
        assert!(matches!(error, BuildError::Segment { position: 2, .. }), "{error:?}");
    }
    let limited = api().with_request_limit(20).build_request(&Forget::new("p"));
    assert!(matches!(limited, Err(BuildError::TooLarge { limit: 20, .. })), "{limited:?}");
}

#[test]
fn w8_it_is_read_from_objects_alone_and_null_is_empty() {
    let read = |body: &'static str| {
        let body = Bytes::from_static(body.as_bytes());
        parse_request(&Request::post("/prefix/api/v1/forget/p?token=x").body(body).unwrap())
    };
    let empty = Payload::Forget(Forget::new("p"));
    for body in ["null", "{}", r#"{"server_id":null,"host":"h"}"#] {
        assert_eq!(read(body).as_ref(), Ok(&empty), "{body}");
    }
    for body in [r#"["c","s"]"#, "", "7", r#"{"server_id":7}"#, r#"{"server_id":["s"]}"#] {
        assert!(matches!(read(body), Err(ParseRequestError::Body { .. })), "{body}");
    }
}

#[test]
fn w47_a_success_says_how_much_was_erased_or_leaves_it_open() {
    for (body, reports) in [
        (r#"{"reports":12}"#, Some(12)),
        (r#"{"reports":18446744073709551615,"more":[]}"#, Some(u64::MAX)),
        ("{}", None),
        ("", None),
        ("12", None),
        ("[12]", None),
        (r#"{"reports":-1}"#, None),
        (r#"{"reports":"12"}"#, None),
        (r#"{"reports":1"#, None),
    ] {
        for status in [200, 202, 204] {
            let forgotten = api().parse_forgotten(answer(status, body)).unwrap();
            assert_eq!(forgotten.reports, reports, "{body}");
        }
    }
}

#[test]
fn w47_an_api_that_does_not_know_the_call_is_told_from_one_that_refuses() {
    for status in [404, 405, 501] {
        let error = api().parse_forgotten(answer(status, r#"{"error":"no"}"#)).unwrap_err();
        assert!(error.is_unknown_call() && !error.is_retryable(), "{error}");
    }
    for status in [400, 401, 403, 410, 415, 422, 429, 500, 502, 503, 307] {
        let error = api().parse_forgotten(answer(status, "")).unwrap_err();
        assert!(!error.is_unknown_call(), "{error}");
    }
}

/// W30: what a captive portal says is no promise.
#[test]
fn w47_a_page_has_forgotten_nobody() {
    let page = Response::builder().header("content-type", "text/html").body("<!DOCTYPE html>");
    let error = api().parse_forgotten(page.unwrap()).unwrap_err();
    assert_eq!(error.kind, ResponseErrorKind::Page);
    assert!(error.is_retryable() && !error.is_unknown_call());
}
