//! W6, W7 and W13: what a request says of its sender.

use usage_proto::{Api, BaseUrl, BuildError, InvalidToken, Server, TOKEN_HEADER, Token};

#[test]
fn w6_a_token_is_checked_at_construction() {
    /// Which character is at fault; `None` if there is none at all.
    fn fault(text: &str) -> Option<usize> {
        match Token::new(text).unwrap_err() {
            InvalidToken::Character { position, .. } => Some(position),
            InvalidToken::Empty => None,
            other => panic!("{other:?}"),
        }
    }
    for (text, position) in [
        ("", None),
        (" \t\r\n", None),
        ("a\nb", Some(2)),
        ("ab\0", Some(3)),
        (" a\tb", Some(2)),
        ("né", Some(2)),
        ("\u{7f}", Some(1)),
        ("\u{feff}x", Some(1)),
    ] {
        assert_eq!(fault(text), position, "{text:?}");
    }
}

#[test]
fn w6_white_space_around_a_token_is_dropped() {
    let token: Token = " Bearer x \r\n".parse().unwrap();
    assert_eq!(token.expose(), "Bearer x");
    assert_eq!(token, Token::new("Bearer x").unwrap());
    assert_ne!(token, Token::new("Bearer y").unwrap());
}

#[test]
fn w6_the_header_is_raw_and_marked_sensitive() {
    let api = Api::new(BaseUrl::STAGING).with_token(Token::new("s3cret-token").unwrap()).unwrap();
    let request = api.build_request(&Server::new()).unwrap();
    let header = &request.headers()[TOKEN_HEADER];
    assert_eq!(header, "s3cret-token");
    assert!(header.is_sensitive());
    assert!(!format!("{request:?} {api:?} {:?}", api.token()).contains("s3cret"));

    let without = api.without_token().build_request(&Server::new()).unwrap();
    assert!(!without.headers().contains_key(TOKEN_HEADER));
}

#[test]
fn w7_a_token_does_not_travel_in_plain_text_unless_told_to() {
    let token = || Token::new("t").unwrap();
    let base = |text: &str| text.parse::<BaseUrl>().unwrap();
    for text in ["http://usage.test", "http://10.0.0.1", "http://a.localhost", "http://[::2]"] {
        let error = Api::new(base(text)).with_token(token()).unwrap_err();
        assert!(matches!(error, BuildError::PlaintextToken { .. }), "{text}: {error:?}");
        assert!(Api::new(base(text).allow_plaintext_token()).with_token(token()).is_ok(), "{text}");
    }
    for text in [
        "https://usage.test",
        "http://localhost:8086",
        "http://LOCALHOST",
        "http://localhost.",
        "http://127.0.0.1",
        "http://127.255.0.1:1",
        "http://[::1]",
        "http://[::ffff:127.0.0.1]",
    ] {
        assert!(Api::new(base(text)).with_token(token()).is_ok(), "{text}");
    }
}

#[test]
fn w13_the_application_stands_in_front_of_the_library() {
    let agent = |api: &Api| {
        api.build_request(&Server::new()).unwrap().headers()["user-agent"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let own = format!("usage-proto/{}", env!("CARGO_PKG_VERSION"));
    let api = Api::new(BaseUrl::STAGING);
    assert_eq!(agent(&api), own);
    let api = api.with_application("influxdb/1.8.10").unwrap();
    assert_eq!(agent(&api), format!("influxdb/1.8.10 {own}"));
    let api = api.with_application("influxdb/1.8.10 plugin").unwrap();
    assert_eq!(agent(&api), format!("influxdb/1.8.10 plugin {own}"));

    for text in ["", " ", "a b ", "a/", "/1", "a/b/c", "a\nb", "é", "a (comment)"] {
        let error = api.clone().with_application(text).unwrap_err();
        assert!(matches!(error, BuildError::UserAgent { .. }), "{text:?}: {error:?}");
    }
}

#[test]
fn w45_requests_ask_for_no_content_coding() {
    let request = Api::new(BaseUrl::STAGING).build_request(&Server::new()).unwrap();
    assert_eq!(request.headers()["accept-encoding"], "identity");
}
