//! Messages: what happened, to which thing, and nothing said twice.

use std::error::Error as _;

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use usage_proto::{
    Api, BaseUrl, BuildError, Chain, Error, Registration, RegistrationRequest, SimpleError, Token,
    TransportError, TransportErrorKind, Usage, UsageData, choose_proxy, parse_request,
};

fn refused(status: u16, body: &'static str) -> String {
    let response = Response::builder().status(status).body(body).unwrap();
    Api::new(BaseUrl::STAGING).parse_response(response).unwrap_err().to_string()
}

#[test]
fn answers_say_their_status_and_what_the_body_said() {
    for (status, body, text) in [
        (401, r#"{"error":"unknown token"}"#, "401 Unauthorized: unknown token"),
        (404, r#"{"error":" \u0007"}"#, "404 Not Found without a message"),
        (500, r#"{"errors":{}}"#, "500 Internal Server Error without a message"),
        (
            422,
            r#"{"error":"no","errors":{"b":["x","y"],"a":["z"]}}"#,
            "422 Unprocessable Entity: no; a: z; b: x y",
        ),
        (502, "<html>", "502 Bad Gateway with a body that is no error of the API: <html>"),
        (503, "", "503 Service Unavailable without a message"),
        (799, "", "799 without a message"),
        (302, "", "302 Found, a redirect that does not say where to"),
    ] {
        assert_eq!(refused(status, body), format!("the Usage API answered {text}"));
    }
    let wait = Response::builder().status(503).header("retry-after", "30").body("").unwrap();
    let wait = Api::new(BaseUrl::STAGING).parse_response(wait).unwrap_err().to_string();
    assert!(wait.ends_with(" (retry after 30 s)"), "{wait}");
}

#[test]
fn what_the_api_says_cannot_break_out_of_its_line() {
    let text = refused(401, r#"{"error":"a\n\u001b[2Jb\u202ec"}"#);
    assert_eq!(text, "the Usage API answered 401 Unauthorized: a [2Jb c");
    let text = refused(422, r#"{"errors":{"a\r\nSet-Cookie: x":["b\u0000c"]}}"#);
    assert!(!text.contains(char::is_control), "{text:?}");
}

#[test]
fn an_error_over_another_says_nothing_twice() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let uri = "https://user:secret@h:444/api/v1/servers?token=secret".parse().unwrap();
    let error = Error::from(TransportError::connect(refused).at(&uri));
    assert_eq!(error.to_string(), "could not connect to https://h:444");
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "connection refused");
    assert!(!format!("{error:?}").contains("secret"));

    let nan = Usage::new("p").data(UsageData::new().value("v", f64::NAN));
    let error = Error::from(Api::new(BaseUrl::STAGING).build_request(&nan).unwrap_err());
    assert!(error.source().is_none());
    assert!(error.to_string().contains("`[0].values.v`"), "{error}");
}

/// With `{:#}` each error shows all that is behind it, once, on one line.
#[test]
fn every_error_shows_its_chain() {
    let api = || Api::new(BaseUrl::STAGING);
    let environment = |name: &str| (name == "https_proxy").then_some("socks5://proxy");
    let request = http::Request::new(Bytes::new());
    let registration = Registration::new("c", "p");
    let io = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let proxy = |name: &str| (name == "all_proxy").then_some("http://proxy:1");
    let proxy = choose_proxy(&BaseUrl::STAGING, proxy).unwrap().unwrap();
    let refused = Response::builder().status(422).body(r#"{"errors":{"a":["b"]}}"#).unwrap();
    let answer = api().parse_response(refused).unwrap_err();
    let validation = answer.as_validation().unwrap().clone();
    let nan = Usage::new("p").data(UsageData::new().value("v", f64::NAN));
    let build = || api().build_request(&nan).unwrap_err();
    let query = "/start".parse().unwrap();
    let errors: Vec<(Box<dyn std::error::Error>, &str)> = vec![
        (BaseUrl::new("x").unwrap_err().into(), "has no scheme"),
        (Token::new("").unwrap_err().into(), "empty"),
        (BuildError::from(BaseUrl::new("x").unwrap_err()).into(), "has no scheme"),
        (BuildError::from(Token::new("").unwrap_err()).into(), "empty"),
        (build().into(), "is not finite"),
        (Error::from(build()).into(), "is not finite"),
        (Error::from(Token::new("").unwrap_err()).into(), "empty"),
        (choose_proxy(&BaseUrl::STAGING, environment).unwrap_err().into(), "https_proxy"),
        (parse_request(&request).unwrap_err().into(), "there is no call"),
        (registration.parse_redirect("/?token=").unwrap_err().into(), "no token"),
        (registration.parse_redirect("/?token=%FC").unwrap_err().into(), "token"),
        (RegistrationRequest::parse(&query).unwrap_err().into(), "`cluster_id` is missing"),
        (SimpleError::new("no").into(), "no"),
        (validation.into(), "a: b"),
        (answer.clone().into(), "a: b"),
        (Error::from(answer).into(), "a: b"),
        (TransportError::connect(io()).into(), "Usage API: connection refused"),
        (
            Error::from(TransportError::connect(io()).through(&proxy)).into(),
            "Usage API: through the proxy proxy:1: connection refused",
        ),
        (TransportError::no_authorities("none").into(), "set SSL_CERT_FILE: none"),
        (TransportError::total_deadline(Duration::from_secs(1)).into(), "longer than 1 s in all"),
    ];
    for (error, end) in errors {
        let shown = format!("{error:#}");
        assert!(shown.contains(end), "{shown:?}");
        assert_eq!(shown, Chain(&*error).to_string());
        assert_eq!(error.source().is_some(), shown.len() > error.to_string().len(), "{shown}");
        assert!(!shown.contains('\n'));
    }
}

#[test]
fn w40_a_transport_error_says_whether_the_request_may_have_left() {
    for (error, kind, sent) in [
        (TransportError::connect("x"), TransportErrorKind::Connect, false),
        (TransportError::tls("x"), TransportErrorKind::Tls, false),
        (TransportError::certificate("x"), TransportErrorKind::Tls, false),
        (TransportError::timeout("x"), TransportErrorKind::Timeout, true),
        (TransportError::timeout("x").not_sent(), TransportErrorKind::Timeout, false),
        (TransportError::interrupted("x"), TransportErrorKind::Interrupted, true),
        (TransportError::protocol("x"), TransportErrorKind::Protocol, true),
        (TransportError::other("x"), TransportErrorKind::Other, true),
    ] {
        assert_eq!((error.kind(), error.may_have_been_sent()), (kind, sent), "{error:?}");
        assert_eq!(error.kind().to_string(), kind.as_str());
        assert!(error.to_string().contains("the Usage API"), "{error}");
    }
}
