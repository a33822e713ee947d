//! Which proxy is used: the scheme's own variable, then `ALL_PROXY`, `NO_PROXY`, loopback never.

use usage_proto::{BaseUrl, InvalidProxy, Proxy, choose_proxy};

fn choose(base: &str, variables: &[(&str, &str)]) -> Result<Option<Proxy>, InvalidProxy> {
    choose_proxy(&base.parse::<BaseUrl>().unwrap(), |name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn chosen(base: &str, variables: &[(&str, &str)]) -> Option<String> {
    choose(base, variables).unwrap().map(|proxy| proxy.authority())
}

#[test]
fn the_schemes_own_variable_comes_first_and_its_lower_case_before() {
    let all = [
        ("ALL_PROXY", "all:1"),
        ("HTTP_PROXY", "plain:2"),
        ("http_proxy", "small:3"),
        ("HTTPS_PROXY", "tls:4"),
    ];
    assert_eq!(chosen("https://h.test", &all).unwrap(), "tls:4");
    assert_eq!(chosen("http://h.test", &all).unwrap(), "small:3");
    assert_eq!(chosen("http://h.test", &all[..2]).unwrap(), "plain:2");
    assert_eq!(chosen("http://h.test", &all[..1]).unwrap(), "all:1");
    assert_eq!(chosen("https://h.test", &all[..3]).unwrap(), "all:1");
    assert_eq!(chosen("https://h.test", &[]), None);
    // An empty variable is no variable.
    assert_eq!(
        chosen("https://h.test", &[("HTTPS_PROXY", " "), ("all_proxy", "a:1")]).unwrap(),
        "a:1"
    );
}

#[test]
fn loopback_is_never_reached_through_a_proxy() {
    let all =
        [("ALL_PROXY", "p:1"), ("HTTP_PROXY", "p:1"), ("HTTPS_PROXY", "p:1"), ("NO_PROXY", "x")];
    for base in ["http://localhost:8086", "https://127.0.0.1", "http://127.9.9.9", "http://[::1]"] {
        assert_eq!(chosen(base, &all), None, "{base}");
    }
    assert!(chosen("http://10.0.0.1", &all).is_some());
}

#[test]
fn no_proxy_lists_names_and_networks() {
    let with = |base, list| chosen(base, &[("ALL_PROXY", "p:1"), ("NO_PROXY", list)]);
    assert_eq!(with("https://usage.example.com", "other, .example.com"), None);
    assert_eq!(with("https://10.1.2.3", "10.0.0.0/8"), None);
    assert_eq!(with("http://[2001:db8::1]:99", "[2001:db8::1]:99"), None);
    assert_eq!(with("https://usage.example.com", "*"), None);
    assert!(with("https://usage.example.com", "ample.com").is_some());
    assert!(with("https://usage.example.com:444", "example.com:443").is_some());
}

#[test]
fn the_proxy_header_of_a_cgi_request_is_not_believed() {
    let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1")];
    assert_eq!(chosen("http://h.test", &cgi), None);
    let both = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1"), ("ALL_PROXY", "good:1")];
    assert_eq!(chosen("http://h.test", &both).unwrap(), "good:1");
}

#[test]
fn an_address_has_many_forms() {
    let of = |value| choose("https://h.test", &[("HTTPS_PROXY", value)]).unwrap().unwrap();
    assert_eq!(of("proxy").authority(), "proxy:80");
    assert_eq!(of("proxy:3128").authority(), "proxy:3128");
    assert_eq!(of("HTTP://proxy:3128/").authority(), "proxy:3128");
    assert_eq!(of("10.0.0.1:1").host(), "10.0.0.1");
    let six = of("http://[2001:db8::1]:3128");
    assert_eq!((six.host().as_str(), six.port()), ("2001:db8::1", 3128));
    assert_eq!(six.authority(), "[2001:db8::1]:3128");

    let with = of("http://us%65r:p%40ss%3A@proxy:3128");
    assert_eq!((with.username(), with.password()), (Some("user"), Some("p@ss:")));
    assert_eq!(of("http://user@proxy").password(), None);
    assert_eq!(of("http://:pass@proxy").username(), Some(""));
    assert!(!format!("{with:?}").contains("ss"), "{with:?}");
}

#[test]
fn an_address_that_cannot_be_used_is_an_error_without_its_secret() {
    for value in [
        "socks5://user:secret@proxy:1080",
        "https://user:secret@proxy",
        "http://user:secret@",
        "user:secret@proxy:port",
        "http://user:secret%ff@proxy",
        "http://user:secret%0d%0aX:y@proxy",
        "http://:secret@p\thost",
        "http://user:secret@p host",
        "http://",
        ":",
    ] {
        let error = choose("https://h.test", &[("ALL_PROXY", value)]).unwrap_err();
        assert_eq!(error.variable(), "ALL_PROXY");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("NO_PROXY"), "{shown}");
    }
}

#[test]
fn every_proxy_is_a_uri_and_a_header() {
    let with = |value| choose("https://h.test", &[("ALL_PROXY", value)]).unwrap().unwrap();
    let plain = with("proxy.test:3128");
    assert_eq!(plain.uri(), "http://proxy.test:3128/");
    assert_eq!(plain.authorization(), None);
    assert_eq!(with("http://[::1]").uri(), "http://[::1]:80/");

    // RFC 7617, section 2: the pair in UTF-8, with an empty half where there is none.
    for (value, encoded) in [
        ("http://Aladdin:open%20sesame@p.test", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test:123%C2%A3@p.test", "Basic dGVzdDoxMjPCow=="),
        ("user@p.test", "Basic dXNlcjo="),
        (":secret@p.test", "Basic OnNlY3JldA=="),
    ] {
        let proxy = with(value);
        let authorization = proxy.authorization().unwrap();
        assert_eq!(authorization, encoded, "{value}");
        assert!(authorization.is_sensitive());
        assert!(!proxy.uri().to_string().contains('@'));
    }
}

#[test]
fn a_host_that_cannot_stand_in_a_uri_is_an_invalid_proxy() {
    for value in ["http://a\"b:1", "http://a{b}:1", "http://a`b"] {
        let error = choose("https://h.test", &[("ALL_PROXY", value)]).unwrap_err();
        assert_eq!(error.variable(), "ALL_PROXY");
    }
}

#[test]
fn a_proxy_fits_into_a_uri_with_its_credentials() {
    let with = |length: usize| choose("https://h.test", &[("ALL_PROXY", &"u".repeat(length))]);
    assert!(with(255).unwrap().is_some());
    assert_eq!(with(100_000).unwrap_err().variable(), "ALL_PROXY");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_not_taken_for_unset() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let look_up = |bytes: &'static [u8]| {
        let base: BaseUrl = "https://h.test".parse().unwrap();
        choose_proxy(&base, move |name| {
            (name == "HTTPS_PROXY").then(|| OsString::from_vec(bytes.to_vec()))
        })
    };
    assert!(look_up(b"\xff").is_err() || look_up(b"\xff").unwrap().is_some());
    assert!(look_up(b"http://p.test:\xff").is_err());
    assert!(look_up(b"http://p.test:1").unwrap().is_some());
}
