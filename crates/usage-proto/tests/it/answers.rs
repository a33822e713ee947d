//! W30 to W34, W37, W38 and W46: an answer by its status, its shape and its length.

use bytes::Bytes;
use http::{Response, StatusCode};
use usage_proto::{Api, BaseUrl, Incomplete, ResponseError, ResponseErrorKind, Saved, Token};

fn answer(status: u16, body: impl Into<Bytes>) -> Result<Saved, ResponseError> {
    let response = Response::builder().status(status).body(body.into()).unwrap();
    Api::new(BaseUrl::STAGING).parse_response(response)
}

fn kind(status: u16, body: &'static str) -> ResponseErrorKind {
    let error = answer(status, body).unwrap_err();
    assert_eq!(error.status, status);
    error.kind
}

/// `Some` text for a simple error.
fn simple(kind: &ResponseErrorKind) -> Option<&str> {
    match kind {
        ResponseErrorKind::Simple(error) => Some(&error.message),
        _ => None,
    }
}

fn excerpt(kind: &ResponseErrorKind) -> Option<&str> {
    match kind {
        ResponseErrorKind::Unexpected { excerpt, .. } => Some(excerpt),
        _ => None,
    }
}

#[test]
fn w30_any_2xx_is_a_success_whatever_the_body_says() {
    for status in [200, 201, 202, 204, 206, 226, 299] {
        for body in ["", "{}", "null", r#"{"error":"oops!"}"#, "<html>"] {
            let response =
                Response::builder().status(status).header("x-request-id", "7").body(body).unwrap();
            let saved = Api::new(BaseUrl::STAGING).parse_response(response).unwrap();
            assert_eq!(saved.status(), status);
            assert_eq!(saved.headers()["x-request-id"], "7");
            assert_eq!(saved.body(), body);
            assert!(saved.is_complete());
            assert_eq!(saved.into_response().body(), body);
        }
    }
}

#[test]
fn w30_a_page_is_marked_as_no_answer_of_an_api() {
    const HTML: Option<&[u8]> = Some(b"text/html");
    let page = |status: u16, media: Option<&'static [u8]>, body: &'static str| {
        let mut response = Response::builder().status(status);
        if let Some(media) = media {
            response = response.header("content-type", media);
        }
        let response = response.header("retry-after", "7").body(body).unwrap();
        let saved = Api::new(BaseUrl::STAGING).parse_response(response).unwrap();
        assert_eq!((saved.status().as_u16(), saved.body()), (status, &Bytes::from(body)));
        let is_page = saved.is_page();
        assert!(format!("{saved:?}").contains(&format!("page: {is_page}")));
        match saved.refuse_page() {
            Ok(saved) => assert!(!is_page && saved.body() == body),
            Err(error) => {
                assert!(is_page && error.is_retryable());
                assert_eq!(
                    (error.status.as_u16(), &error.kind),
                    (status, &ResponseErrorKind::Page)
                );
                assert_eq!(error.retry_after.unwrap().as_secs(), 7);
                let text = format!("the Usage API answered {status}");
                assert!(error.to_string().starts_with(&text), "{error}");
                assert!(error.to_string().contains("a web page"), "{error}");
            }
        }
        is_page
    };
    for status in [200, 201, 202, 203, 206, 299] {
        assert!(page(status, HTML, "<!DOCTYPE html><title>Hotel</title>"));
    }
    for media in ["text/html; charset=utf-8", "TEXT/HTML", " text/html ;x=1", "text/html;"] {
        assert!(page(200, Some(media.as_bytes()), "<html>"), "{media}");
    }
    for body in ["<", "\n\t <html>", "\u{feff}<html>", "\u{feff}\r\n<p>"] {
        assert!(page(200, HTML, body), "{body:?}");
    }
    // An API that says nothing, that says so in JSON, or that sends XML, is one.
    for (media, body) in [
        (None, "<html>"),
        (Some(&b"application/json"[..]), "<html>"),
        (Some(b"text/htmlx"), "<html>"),
        (Some(b"application/xml"), "<ok/>"),
        (Some(b"x; text/html"), "<html>"),
        (Some(b"text/html\xff"), "<html>"),
        (HTML, ""),
        (HTML, "{}"),
        (HTML, "ok <br>"),
    ] {
        assert!(!page(200, media, body), "{media:?} {body}");
    }
}

#[test]
fn w31_a_simple_error_has_the_status() {
    for status in [401, 404, 500] {
        assert_eq!(simple(&kind(status, r#"{"error":"oops!"}"#)), Some("oops!"));
    }
}

#[test]
fn w32_every_other_status_is_an_error_too() {
    for status in (100..=199).chain(300..=999) {
        let error = answer(status, r#"{"error":"oops!"}"#).unwrap_err();
        assert_eq!(error.status, status);
        match status {
            301 | 302 | 303 | 307 | 308 => {
                assert!(matches!(error.kind, ResponseErrorKind::Redirect { .. }), "{error:?}");
            }
            300..=399 => assert_eq!(excerpt(&error.kind), Some(r#"{"error":"oops!"}"#)),
            _ => assert_eq!(simple(&error.kind), Some("oops!"), "{status}"),
        }
    }
}

#[test]
fn w33_a_body_of_neither_shape_never_hides_the_status() {
    for body in [
        "",
        "null",
        "1",
        "true",
        "[]",
        "{}",
        "\"error\"",
        "<html><body>502</body></html>",
        r#"{"error":"oop"#,
        r#"{"error":1}"#,
        r#"["a",null]"#,
        r#"["a",{"f":["x"]}]"#,
        r#"{"error":null}"#,
        r#"{"errors":["a"]}"#,
        r#"{"errors":"x"}"#,
        r#"{"errors":null}"#,
        r#"{"error":"\x"}"#,
        r"{'error':'x'}",
        r#"{"error":"x",}"#,
        r#"{"message":"error"}"#,
    ] {
        assert_eq!(excerpt(&kind(502, body)), Some(body), "{body}");
    }
}

#[test]
fn w33_an_excerpt_is_one_clipped_line() {
    assert_eq!(excerpt(&kind(500, "\u{1b}[31m\r\n<p>\ta\0b</p>  \n")), Some("[31m <p> a b</p>"));
    assert_eq!(excerpt(&kind(500, "a\u{202e}b\u{2066}c\u{feff}")), Some("a b c"));
    assert_eq!(excerpt(&kind(500, " \r\n ")), Some(""));

    let error = answer(500, vec![0xff; 10_000]).unwrap_err();
    let clipped = excerpt(&error.kind).unwrap();
    assert_eq!(clipped.chars().count(), 256);
    assert!(clipped.starts_with('\u{fffd}') && clipped.ends_with('…'));

    let exact = "é".repeat(256);
    let error = answer(500, exact.clone()).unwrap_err();
    assert_eq!(excerpt(&error.kind), Some(exact.as_str()));
    let over = format!("{} x", "é".repeat(255));
    let error = answer(500, over).unwrap_err();
    assert_eq!(excerpt(&error.kind), Some(format!("{}…", "é".repeat(255)).as_str()));
}

#[test]
fn w34_the_shape_decides_and_not_the_status() {
    let fields = r#"{"errors":{"host":["blank"]}}"#;
    for status in [400, 401, 404, 422, 500] {
        let ResponseErrorKind::Validation(errors) = kind(status, fields) else {
            panic!("{status}: another kind");
        };
        assert_eq!((&errors.errors["host"][..], errors.message), (&["blank".to_owned()][..], None));
    }
    assert_eq!(simple(&kind(422, r#"{"error":"nope"}"#)), Some("nope"));

    let ResponseErrorKind::Validation(both) = kind(422, r#"{"error":"e","errors":{"a":["x"]}}"#)
    else {
        panic!("another kind");
    };
    assert_eq!(both.message.as_deref(), Some("e"));
    assert_eq!(both.errors["a"], ["x"]);
}

#[test]
fn w37_a_redirect_is_an_error_that_tells_where_to() {
    let location = |status: u16, location: &str| {
        let response = Response::builder()
            .status(status)
            .header("location", location)
            .body(Bytes::from_static(b"{\"error\":\"moved\"}"))
            .unwrap();
        match Api::new(BaseUrl::STAGING).parse_response(response).unwrap_err().kind {
            ResponseErrorKind::Redirect { location, .. } => Some(location),
            _ => None,
        }
    };
    for status in [301, 302, 303, 307, 308] {
        for (text, shown) in [
            ("/y", "/y"),
            ("/x@y?token=secret", "/x@y"),
            ("https://other.test/x?token=secret#frag", "https://other.test/x"),
            ("https://user:secret@other.test:8/x@y", "https://other.test:8/x@y"),
            ("https:secret@other.test", "https://other.test/"),
            ("https:\\\\a@secret@other.test\\x", "https://other.test/x"),
            ("https://user:se?cret@other.test/", "…@other.test/"),
            ("etps://user:secret@ex\\x@y", "etps://y"),
            ("//secret@other.test/", "…@other.test/"),
            ("/\t/secret@other.test/", "…@other.test/"),
            ("h@s://user:secret@host", "…@host"),
            ("a/b@c", "…@c"),
            ("a/b?c", "a/b…"),
            ("http://[::1", "http://[::1"),
            ("ftp://127.0.0.1/x", "ftp://127.0.0.1/x"),
        ] {
            assert_eq!(location(status, text), Some(Some(shown.into())), "{status} {text}");
        }
        assert_eq!(location(status, ""), Some(None));
        assert!(matches!(kind(status, "{}"), ResponseErrorKind::Redirect { location: None, .. }));
    }
    for status in [300, 304, 305, 306] {
        assert_eq!(location(status, "/y"), None, "{status}");
        assert!(excerpt(&kind(status, r#"{"error":"x"}"#)).is_some());
    }
}

#[test]
fn w38_a_body_above_the_limit_is_cut_on_success_and_too_large_otherwise() {
    let api = Api::new(BaseUrl::STAGING).with_response_limit(17);
    let answer = |status: u16, body: &'static str| {
        api.parse_response(Response::builder().status(status).body(body).unwrap())
    };
    let saved = answer(200, "0123456789abcdefgh").unwrap();
    assert_eq!((&saved.body()[..], saved.is_complete()), (&b"0123456789abcdefg"[..], false));
    assert!(answer(200, "0123456789abcdefg").unwrap().is_complete());

    let error = answer(401, r#"{"error":"oops!"} "#).unwrap_err();
    assert_eq!(error.status, StatusCode::UNAUTHORIZED);
    assert!(matches!(error.kind, ResponseErrorKind::TooLarge { limit: 17, .. }), "{error:?}");
    assert_eq!(simple(&answer(401, r#"{"error":"oops!"}"#).unwrap_err().kind), Some("oops!"));
    assert_eq!(Api::new(BaseUrl::STAGING).response_limit(), 64 * 1024);
}

#[test]
fn w46_a_body_that_broke_off_leaves_a_success_a_success() {
    let broken = |status: u16, body: &'static str| {
        let mut response = Response::builder().status(status).body(body).unwrap();
        response.extensions_mut().insert(Incomplete);
        Api::new(BaseUrl::STAGING).parse_response(response)
    };
    let saved = broken(201, "{\"sta").unwrap();
    assert_eq!((&saved.body()[..], saved.is_complete()), (&b"{\"sta"[..], false));
    assert_eq!(simple(&broken(404, r#"{"error":"gone"}"#).unwrap_err().kind), Some("gone"));
    assert_eq!(excerpt(&broken(404, r#"{"error":"go"#).unwrap_err().kind), Some(r#"{"error":"go"#));
}

#[test]
fn a_token_that_the_api_repeats_is_removed() {
    let token = Token::new("token-goes-here").unwrap();
    let api = Api::new(BaseUrl::STAGING).with_token(token).unwrap();
    for (status, body) in [
        (401, r#"{"error":"unknown token token-goes-here"}"#),
        (422, r#"{"error":"token-goes-here","errors":{"token-goes-here":["token-goes-here?"]}}"#),
        (502, "<p>token-goes-here</p>"),
    ] {
        let error = api.parse_response(Response::builder().status(status).body(body).unwrap());
        let shown = format!("{0} {0:?}", error.unwrap_err());
        assert!(!shown.contains("goes-here") && shown.contains("[redacted]"), "{shown}");
    }
    // Nor is half of it left where an excerpt is cut.
    let late = "x".repeat(250) + "token-goes-here";
    let error =
        api.parse_response(Response::builder().status(500).body(late).unwrap()).unwrap_err();
    assert!(!error.to_string().contains("toke"), "{error}");

    let moved = Response::builder().status(302).header("location", "/token-goes-here/x").body("");
    let shown = format!("{0} {0:?}", api.parse_response(moved.unwrap()).unwrap_err());
    assert!(!shown.contains("goes-here") && shown.contains("/[redacted]/x"), "{shown}");
}
