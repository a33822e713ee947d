//! W1 to W5: where requests go.

use usage_proto::{Api, BaseUrl, BuildError, Saveable, Server, Usage};

/// A payload with segments of a test's choice.
#[derive(serde::Serialize)]
struct At<'a>(#[serde(skip)] &'a [&'a str]);

impl Saveable for At<'_> {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        self.0
    }
}

fn uri(base: &str, segments: &[&str]) -> String {
    let base: BaseUrl = base.parse().unwrap();
    Api::new(base).build_request(&At(segments)).unwrap().uri().to_string()
}

#[test]
fn w1_a_segment_is_one_segment_whatever_is_in_it() {
    for (product, path) in [
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("x?y=1&z=2", "x%3Fy%3D1%26z%3D2"),
        ("x#y", "x%23y"),
        ("100%", "100%25"),
        ("%41", "%2541"),
        ("a b", "a%20b"),
        ("é", "%C3%A9"),
        ("a+b;c:d=e[f]", "a%2Bb%3Bc%3Ad%3De%5Bf%5D"),
        ("A-z.0_9~", "A-z.0_9~"),
        ("...", "..."),
        ("\0\n", "%00%0A"),
    ] {
        let request = Api::new(BaseUrl::STAGING).build_request(&Usage::new(product)).unwrap();
        assert_eq!(request.uri().path(), format!("/api/v1/usage/{path}"), "{product:?}");
        assert_eq!(request.uri().query(), None, "{product:?}");
    }
}

#[test]
fn w1_a_segment_that_would_vanish_or_climb_is_refused() {
    for segment in ["", ".", ".."] {
        let error = Api::new(BaseUrl::STAGING).build_request(&Usage::new(segment)).unwrap_err();
        assert!(
            matches!(&error, BuildError::Segment { position: 2, segment: s, .. } if s == segment),
            "{error:?}",
        );
    }
}

#[test]
fn w1_a_uri_has_at_most_65534_bytes() {
    let base = "https://usage.staging.influxdata.com/api/v1/usage/";
    let fits = "x".repeat(65_534 - base.len());
    let api = Api::new(BaseUrl::STAGING);
    let uri = api.build_request(&Usage::new(fits.as_str())).unwrap().uri().to_string();
    assert_eq!(uri.len(), 65_534);

    let error = api.build_request(&Usage::new(fits + "x")).unwrap_err();
    assert!(
        matches!(error, BuildError::UriTooLong { length: 65_535, limit: 65_534, .. }),
        "{error:?}",
    );
}

#[test]
fn w2_a_trailing_slash_makes_no_difference() {
    for base in ["http://usage.test", "http://usage.test/", "http://usage.test//"] {
        assert_eq!(uri(base, &["servers"]), "http://usage.test/api/v1/servers", "{base}");
    }
}

#[test]
fn w3_a_path_prefix_is_kept_by_requests_and_by_registration() {
    assert_eq!(uri("http://usage.test/prefix", &["x"]), "http://usage.test/prefix/api/v1/x");
    let api = Api::new("https://h/%2Fenc/".parse().unwrap());
    let url = api.registration_url(&usage_proto::Registration::new("c", "p")).unwrap();
    assert_eq!(url.as_str(), "https://h/%2Fenc/start?cluster_id=c&product=p");
}

#[test]
fn w4_what_is_no_base_url_is_refused_with_the_reason() {
    for (text, reason) in [
        ("", "is empty"),
        ("usage.influxdata.com", "has no scheme"),
        ("localhost:8080", "has no scheme"),
        ("127.0.0.1", "has no scheme"),
        ("://x", "has no scheme"),
        ("https:host", "has no scheme"),
        ("https:/host", "has no scheme"),
        ("mailto:x", "has no scheme"),
        ("ftp://usage.test", "has another scheme"),
        ("file:///etc/passwd", "has another scheme"),
        ("http:///x", "has no host"),
        ("http://", "has no host"),
        ("http://:80", "has no host"),
        ("http://h?q=1", "has a query"),
        ("https://h/?", "has a query"),
        ("http://h#frag", "has a fragment"),
        ("http://h/\n", "has a character"),
        ("http://h\n", "has a character"),
        (" http://h", "has no scheme"),
        ("http://h/a b", "has a character"),
        ("http://h\\x", "has a character"),
        ("https://éxample.com", "has a character"),
        ("http://%zz", "has a `%`"),
        ("http://h/%4", "has a `%`"),
        ("http://h:port", "has a port"),
        ("http://h:65536", "has a port"),
        ("http://h:+80", "has a port"),
        ("http://[::1", "has a host"),
        ("http://[::g]", "has a host"),
        ("http://[::1]x", "has a host"),
        ("http://1", "has a host"),
        ("http://0x7f.1", "has a host"),
        ("http://127.1", "has a host"),
        ("http://ex%41mple.com", "has a host"),
        ("http://h/a/../b", "has a `.` or `..` segment"),
        ("http://h/%2E%2e", "has a `.` or `..` segment"),
    ] {
        let error = text.parse::<BaseUrl>().map(|url| url.to_string()).unwrap_err().to_string();
        assert!(error.contains(reason), "{text:?}: {error}");
        assert!(!error.contains('\n'), "{text:?}: {error}");
    }
    let long = format!("http://h/{}", "x".repeat(65_534));
    let error = long.parse::<BaseUrl>().unwrap_err().to_string();
    assert!(error.contains("longer than a URL may be") && error.len() < 400, "{error}");
}

#[test]
fn w4_what_is_a_base_url_is_kept_as_it_is() {
    for (text, kept, host, port) in [
        ("http://usage.test", "http://usage.test", "usage.test", 80),
        ("HTTP://usage.test", "http://usage.test", "usage.test", 80),
        ("https://EXAMPLE.com:443/", "https://example.com", "example.com", 443),
        ("http://h:0", "http://h:0", "h", 0),
        ("http://h:", "http://h", "h", 80),
        ("http://[2001:DB8::1]:8086/x", "http://[2001:db8::1]:8086/x", "2001:db8::1", 8086),
        ("https://[::1]", "https://[::1]", "::1", 443),
        ("http://h/a:b@c/%41", "http://h/a:b@c/%41", "h", 80),
        ("http://xn--xample-9ua.com", "http://xn--xample-9ua.com", "xn--xample-9ua.com", 80),
    ] {
        let base: BaseUrl = text.parse().unwrap();
        assert_eq!((base.as_str(), base.host(), base.port()), (kept, host, port), "{text}");
        assert_eq!(kept.parse::<BaseUrl>().unwrap(), base, "{text}");
    }
}

#[test]
fn w5_user_information_is_refused_and_never_repeated() {
    for text in
        ["https://user:secret@h", "https://secret@h/x", "https://:secret@h", "https://a@secret@h"]
    {
        let error = text.parse::<BaseUrl>().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("set a token instead"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
    // As people mistype it: what stands before an `@` may be a password there too.
    for text in [
        "user:secret@h",
        "https:/user:secret@h",
        "https:\\\\user:secret@h",
        "https://user:sec/secret@h",
        "https://user:sec?secret@h",
        "h\rHTTPS://user:secret@h",
    ] {
        let error = text.parse::<BaseUrl>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sec"), "{error}");
    }
}

#[test]
fn the_original_calls_go_to_the_original_paths() {
    let api = Api::new(BaseUrl::PRODUCTION);
    let request = api.build_request(&Server::new()).unwrap();
    assert_eq!(request.method(), http::Method::POST);
    assert_eq!(request.uri(), "https://usage.influxdata.com/api/v1/servers");
    assert_eq!(request.headers()["content-type"], "application/json");
}
