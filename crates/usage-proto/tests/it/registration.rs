//! W20 to W23: registration in a browser.

use usage_proto::{
    Api, BaseUrl, BuildError, RedirectError, Registration, RegistrationRequest,
    RegistrationRequestError, Token,
};

fn url(registration: &Registration) -> Result<String, BuildError> {
    Api::new(BaseUrl::PRODUCTION).registration_url(registration).map(Into::into)
}

#[test]
fn w20_the_url_has_the_original_bytes() {
    let base = "https://usage.influxdata.com/start?";
    let original = Registration::new("clus1", "chronograf").redirect_url("http://example.com");
    assert_eq!(
        url(&original).unwrap(),
        format!("{base}cluster_id=clus1&product=chronograf&redirect_url=http%3A%2F%2Fexample.com")
    );
    let odd = "<>\"'&=;,/?:@#[]!$()*~-_.";
    assert_eq!(
        url(&Registration::new(odd, "a b+é")).unwrap(),
        format!(
            "{base}cluster_id=%3C%3E%22%27%26%3D%3B%2C%2F%3F%3A%40%23%5B%5D%21%24%28%29%2A~-_.\
             &product=a+b%2B%C3%A9"
        )
    );
    assert_eq!(
        url(&Registration::new("\0\n\t", "p")).unwrap(),
        format!("{base}cluster_id=%00%0A%09&product=p")
    );
}

#[test]
fn w21_a_blank_field_is_named() {
    for (cluster_id, product, field) in [
        ("", "p", "cluster_id"),
        (" \t", "p", "cluster_id"),
        ("c", "", "product"),
        ("c", "\u{a0}", "product"),
    ] {
        let error = url(&Registration::new(cluster_id, product)).unwrap_err();
        assert_eq!(error.field(), Some(field), "{error:?}");
    }
}

#[test]
fn w22_a_redirect_is_an_absolute_http_or_https_url() {
    let with = |redirect: &str| url(&Registration::new("c", "p").redirect_url(redirect));
    for redirect in [
        "",
        "/back",
        "example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://h/",
        "http:h",
        "http:/h",
        "http://",
        "//h/x",
        "http://[::1",
        "http:///x",
        "http://?x",
        "http://a\nb",
        "\thttp://h",
    ] {
        let error = with(redirect).unwrap_err();
        assert!(matches!(error, BuildError::RedirectUrl { .. }), "{redirect}: {error:?}");
        assert_eq!(error.field(), Some("redirect_url"));
    }
    assert!(
        with("HTTPS://h/back?x=1&y=a b#frag")
            .unwrap()
            .ends_with("&redirect_url=HTTPS%3A%2F%2Fh%2Fback%3Fx%3D1%26y%3Da+b%23frag")
    );
}

#[test]
fn w23_the_redirect_brings_exactly_one_token() {
    let registration = Registration::new("c", "p").redirect_url("http://localhost:1/back");
    let parse = |redirect: &str| registration.parse_redirect(redirect);
    for redirect in [
        "http://localhost:1/back?token=tok",
        "/back?x=1&token=tok&y",
        "/back?token=%74ok#token=other",
        "?token=+tok+",
    ] {
        assert_eq!(parse(redirect).unwrap().expose(), "tok", "{redirect}");
    }
    for redirect in ["", "/back", "/back?token", "/back?token=", "/back#token=tok", "token=tok"] {
        assert_eq!(parse(redirect).unwrap_err(), RedirectError::NoToken, "{redirect}");
    }
    assert_eq!(parse("?token=a&token=a").unwrap_err(), RedirectError::ManyTokens);
    assert!(matches!(parse("?token=a%0Ab").unwrap_err(), RedirectError::Token(_)));
}

#[test]
fn w23_the_state_must_be_the_one_that_was_sent() {
    let state =
        |redirect: &str| Registration::new("c", "p").redirect_url(redirect).state([0xab, 1]);
    for (redirect, sent) in [
        ("http://h/back", "http%3A%2F%2Fh%2Fback%3Fstate%3Dab01"),
        ("http://h/back?", "http%3A%2F%2Fh%2Fback%3Fstate%3Dab01"),
        ("http://h/?a=1#f", "http%3A%2F%2Fh%2F%3Fa%3D1%26state%3Dab01%23f"),
    ] {
        let url = url(&state(redirect)).unwrap();
        assert!(url.ends_with(&format!("&redirect_url={sent}")), "{url}");
    }
    let error = url(&state("http://h/?state=mine")).unwrap_err();
    assert_eq!((&error, error.field()), (&BuildError::RedirectState, Some("redirect_url")));

    let registration = state("http://h/");
    assert_eq!(registration.parse_redirect("/?state=ab01&token=t").unwrap().expose(), "t");
    for redirect in [
        "/?token=t",
        "/?token=t&state=",
        "/?token=t&state=ab02",
        "/?token=t&state=ab0",
        "/?token=t&state=ab011",
        "/?token=t&state=AB01",
        "/?token=t&state=ab01&state=ab01",
    ] {
        let error = registration.parse_redirect(redirect).unwrap_err();
        assert_eq!(error, RedirectError::State, "{redirect}");
    }
    assert!(!format!("{registration:?}").contains("ab01"));
}

#[test]
fn w1_a_registration_url_has_at_most_65534_bytes() {
    let base = "https://usage.influxdata.com/start?cluster_id=&product=p".len();
    let fits = Registration::new("x".repeat(65_534 - base), "p");
    assert_eq!(url(&fits).unwrap().len(), 65_534);
    let error = url(&Registration::new("x".repeat(65_535 - base), "p")).unwrap_err();
    assert!(matches!(error, BuildError::UriTooLong { length: 65_535, .. }), "{error:?}");
}

#[test]
fn w23_the_state_may_stand_in_the_path() {
    let state = |redirect: &str| {
        Registration::new("c", "p").redirect_url(redirect).state_in_path([0xab, 1])
    };
    for (redirect, sent, path) in [
        ("http://h", "http%3A%2F%2Fh%2Fab01", "/ab01"),
        ("http://h/", "http%3A%2F%2Fh%2Fab01", "/ab01"),
        ("http://h/callback", "http%3A%2F%2Fh%2Fcallback%2Fab01", "/callback/ab01"),
        ("http://h/a?state=mine#f", "http%3A%2F%2Fh%2Fa%2Fab01%3Fstate%3Dmine%23f", "/a/ab01"),
    ] {
        let url = url(&state(redirect)).unwrap();
        assert!(url.ends_with(&format!("&redirect_url={sent}")), "{url}");
        assert_eq!(state(redirect).redirect_path().as_deref(), Some(path));
    }
    let registration = state("http://h/callback");
    for redirect in ["/callback/ab01?token=t", "http://h/callback/ab01?x=1&token=t#f"] {
        assert_eq!(registration.parse_redirect(redirect).unwrap().expose(), "t");
    }
    for redirect in [
        "/callback?token=t",
        "/callback/?token=t",
        "/callback/ab02?token=t",
        "/callback/AB01?token=t",
        "/callback/ab01/?token=t",
        "/callback?token=t&state=ab01",
        "?token=t",
        "",
    ] {
        let error = registration.parse_redirect(redirect).unwrap_err();
        assert_eq!(error, RedirectError::State, "{redirect}");
    }
    assert!(!format!("{registration:?}").contains("ab01"));
    assert_eq!(Registration::new("c", "p").redirect_path(), None);
}

fn request(query: &str) -> Result<RegistrationRequest, RegistrationRequestError> {
    RegistrationRequest::parse(&format!("/start?{query}").parse().unwrap())
}

#[test]
fn w20_a_server_reads_what_a_client_wrote() {
    for (cluster_id, product, redirect) in [
        ("clus1", "chronograf", None),
        ("<>\"'&=;,/?:@#[]!$()*~-_.", "a b+é", Some("http://h/back?a=%20+&b")),
        ("c", "p", Some("https://[::1]:8888/x?token_of=1")),
    ] {
        let mut registration = Registration::new(cluster_id, product);
        if let Some(redirect) = redirect {
            registration = registration.redirect_url(redirect);
        }
        let read = RegistrationRequest::parse(&url(&registration).unwrap().parse().unwrap());
        let read = read.unwrap();
        assert_eq!((&*read.cluster_id, &*read.product), (cluster_id, product));
        assert_eq!(read.redirect_url.as_ref().map(AsRef::as_ref), redirect);
        // The token is merged into the query, whatever it has in it, and what was there is kept.
        let token = Token::new("a+b &c=%20#d").unwrap();
        match (read.redirect_with(&token), redirect) {
            (Some(back), Some(redirect)) => {
                assert!(back.as_str().starts_with(redirect), "{back}");
                assert_eq!(registration.parse_redirect(back.as_str()).unwrap(), token);
            }
            (back, redirect) => {
                assert_eq!((back.as_ref().map(AsRef::as_ref), redirect), (None, None));
            }
        }
    }
    assert_eq!(request("cluster_id=c&product=p&redirect_url=").unwrap().redirect_url, None);
    assert!(request("cluster_id=c&product=p&campaign=x").is_ok());
}

#[test]
fn a_server_says_which_parameter_is_at_fault() {
    for (query, parameter) in [
        ("", "cluster_id"),
        ("cluster_id=&product=p", "cluster_id"),
        ("cluster_id=+&product=p", "cluster_id"),
        ("cluster_id=c", "product"),
        ("cluster_id=c&product=p&product=q", "product"),
        ("cluster_id=c&product=p&redirect_url=http://h&redirect_url=http://i", "redirect_url"),
        ("cluster_id=c&product=p&redirect_url=javascript:alert(1)", "redirect_url"),
        ("cluster_id=c&product=p&redirect_url=//h/x", "redirect_url"),
        ("cluster_id=c&product=p&redirect_url=http://u@h", "redirect_url"),
        ("cluster_id=c&product=p&redirect_url=http://:secret@h", "redirect_url"),
        ("cluster_id=c&product=p&redirect_url=http://h/%23x", "redirect_url"),
        ("cluster_id=c&product=p&redirect_url=http://h/?token=mine", "redirect_url"),
        ("cluster_id=c&product=p&redirect_url=ftp://h", "redirect_url"),
        ("cluster_id=c&product=p&redirect_url=http://h%0a", "redirect_url"),
    ] {
        let error = request(query).unwrap_err();
        assert_eq!(error.parameter(), parameter, "{query}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
